//! One way to say something, and one thing to ask.

use crate::reply::company::Address;

/// One way to say something, with slots such as `{{ order }}` and, where the form of address
/// matters, `<usted|tú|vos>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wording {
    /// `es/complaint/sorry/1f0c9a3e`: where it stands and a hash of what it says.
    pub id: String,
    /// The template as written.
    pub text: String,
    /// The slots it needs.
    pub slots: Vec<String>,
}

/// A question to the customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// What is asked.
    pub wording: Wording,
    /// Slots that make the question needless when they are known.
    pub unless: Vec<String>,
}

impl Ask {
    /// A question that is not asked when one of `unless` is known.
    pub(in crate::reply) fn new(stem: &str, text: String, unless: Vec<String>) -> Self {
        Self { wording: Wording::new(&format!("{stem}/ask"), text), unless }
    }
}

impl Wording {
    pub(super) fn new(stem: &str, text: String) -> Self {
        let slots = slots(&text);
        Self { id: format!("{stem}/{:08x}", hash(&[&text]) >> 32), text, slots }
    }

    /// The template for one form of address: of `<usted|tú|vos>` the first, second or third; a
    /// missing third is the second, a missing second the first.
    #[must_use]
    pub fn template(&self, address: Address) -> String {
        let wanted = match address {
            Address::Formal => 0,
            Address::Informal => 1,
            Address::Voseo => 2,
        };
        let mut out = String::with_capacity(self.text.len());
        let mut rest = self.text.as_str();
        while let Some((before, after)) = rest.split_once('<') {
            out.push_str(before);
            let Some((forms, after)) = after.split_once('>') else {
                break;
            };
            out.push_str(forms.split('|').take(wanted + 1).last().unwrap_or(""));
            rest = after;
        }
        out.push_str(rest);
        out
    }
}

/// The names between `{{` and `}}`.
fn slots(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("{{") {
        let Some((slot, after)) = after.split_once("}}") else {
            break;
        };
        let slot = slot.trim().to_owned();
        if !found.contains(&slot) {
            found.push(slot);
        }
        rest = after;
    }
    found
}

/// FNV-1a over the parts with a separator: a hash that will not change with a library.
#[must_use]
pub fn hash(parts: &[&str]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([0x1f]));
    let mixed = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    // FNV leaves the upper bits of short texts alike; one round of mixing spreads them.
    let mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    mixed ^ (mixed >> 29)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_of_address_falls_back_to_the_one_before_it() {
        let wording = Wording::new("x", "¿<Puede|Puedes|Podés> verlo? <Usted|Tú> dirá. {{ by }}".into());
        assert_eq!(wording.template(Address::Formal), "¿Puede verlo? Usted dirá. {{ by }}");
        assert_eq!(wording.template(Address::Informal), "¿Puedes verlo? Tú dirá. {{ by }}");
        assert_eq!(wording.template(Address::Voseo), "¿Podés verlo? Tú dirá. {{ by }}");
        assert_eq!(wording.slots, ["by"]);
    }
}
