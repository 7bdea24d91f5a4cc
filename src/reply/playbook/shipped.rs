//! The playbooks that come with the program, embedded.

macro_rules! files {
    ($($language:literal: $($name:literal)*;)*) => {
        &[$($((
            concat!($language, "/", $name, ".toml"),
            include_str!(concat!("../../../data/playbooks/", $language, "/", $name, ".toml")),
        ),)*)*]
    };
}

/// Path below `data/playbooks`, text.
pub(super) const FILES: &[(&str, &str)] = files! {
    "en": "common" "matters" "outcomes" "threat" "abuse" "panic" "entitlement" "criticism" "complaint" "pricing" "idea" "question" "praise" "closing" "follow-up" "decline";
    "es": "common" "matters" "outcomes" "threat" "abuse" "panic" "entitlement" "criticism" "complaint" "pricing" "idea" "question" "praise" "closing" "follow-up" "decline";
    "ru": "common" "matters" "outcomes" "threat" "abuse" "panic" "entitlement" "criticism" "complaint" "pricing" "idea" "question" "praise" "closing" "follow-up" "decline";
    "uk": "common" "matters" "outcomes" "threat" "abuse" "panic" "entitlement" "criticism" "complaint" "pricing" "idea" "question" "praise" "closing" "follow-up" "decline";
};
