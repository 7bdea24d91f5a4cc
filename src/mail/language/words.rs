//! Letters and frequent words by which languages are told apart. Words that several languages share
//! count for each of them and so decide nothing.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::Language;

/// What a known word adds.
pub(super) const WORD_WEIGHT: usize = 2;
/// What an ending adds, or a letter that few languages have.
pub(super) const LETTER_WEIGHT: usize = 1;

struct Entry {
    language: Language,
    cyrillic: bool,
    letters: &'static str,
    words: &'static str,
}

const fn latin(language: Language, letters: &'static str, words: &'static str) -> Entry {
    Entry { language, cyrillic: false, letters, words }
}

const fn cyrillic(language: Language, letters: &'static str, words: &'static str) -> Entry {
    Entry { language, cyrillic: true, letters, words }
}

/// Endings of longer words that one of two close languages has; they decide where words do not.
const ENDINGS: &[(Language, bool, &str)] = &[
    (Language::Ru, true, "ение|ание|ении|ия|ие|ии|ый|ые|ая|яя|ое|ешь|ишь|ет|ют|его|ему|ться|ого|ов|ей"),
    (Language::Uk, true, "ння|ття|ою|ею|ати|ити|увати|ував|увала|ься|ать|ять|уть|ний|ого|ів|ей|ку|ко"),
    (Language::En, false, "ing|tion|ly|ed|n't|'s|'m|'re|'ve|'ll|ness|ful|ght|ck"),
    (Language::Es, false, "ción|mente|ado|ada|ando|iendo|aba|ía|ió|eron|amos|emos|ito|ita"),
];

/// How many languages are told apart.
pub(super) const LANGUAGES: usize = TABLE.len();

const TABLE: &[Entry] = &[
    latin(
        Language::En,
        "",
        "the and you your i i'm i've i'll it's is are was were be been my me we our us they this that these those there \
         what when where who why how which with without for from of to in on at by or not don't doesn't didn't can't won't \
         isn't wasn't have has had do does did can could would should will just please thanks thank hello hi hey dear if \
         then than because but so as an all any some no yes ok okay get got give want need help sorry about after before \
         again still now here out up down into over only very much more most one two day days week month year ago since \
         until order orders account password login refund money back pay paid payment price cost charge charged invoice \
         card email mail phone call website site page app file files working work works broken error problem issue customer \
         service support team company manager sir madam asap pls plz u ur im dont cant its know think see tell told said \
         make made take use using send sent received receive wrong good great bad worst love like really even never always \
         every time first last next new old other another same someone anyone everything nothing something let let's he she \
         him her his hers them their a i am there's i'd you're you've we're we've they're that's what's came went read good morning \
         afternoon evening friend everyone folks kindly regarding update status attached screenshot friendly \
         yours truly sincerely hope wish needs keep keeps live lives home house school \
          lol wtf damn shit fuck idiots stupid way cancel delivery subscription free regards cheers",
    ),
    latin(
        Language::Es,
        "ñ¿¡áíóúñ",
        "el la los las un una unos unas de del al y o que qué porque por para con sin en es son está están esta este esto \
         estos estas ese esa eso era fue ser estar soy eres estoy estamos he ha han hemos había hay hace hacer hago hacen no \
         sí si mi mis me te se le les nos os lo tu tus su sus yo él ella usted ustedes vosotros vuestra vuestro nosotros muy \
         más mas menos pero como cómo cuando cuándo donde dónde quien quién cual cuál cuanto cuánto todo toda todos todas \
         nada algo alguien nadie otro otra bien mal bueno buena buenos buenas días dias tardes noches hola gracias saludos \
         saludo favor señor señora señores estimado estimados estimada quiero quiere quería quisiera puedo puede pueden \
         podría podrían necesito tengo tiene tienen tener pedido pedidos cuenta contraseña factura facturas dinero pagar \
         pago pagado precio tarjeta correo página pagina funciona funcionan llegó llegado llega enviado enviar envío recibido \
         problema error ayuda ayudar ahora ya aún aun todavía todavia siempre nunca hoy ayer mañana semana mes año años días \
         hasta desde entre sobre también tambien solo sólo así asi vez veces mejor peor cliente servicio empresa devolución \
         devolver devuelvan cancelar quiero urgente por favor porfa alguna algún gente vergüenza mierda puta idiotas joder \
         a ver mire mira miren oye oiga oigan va van vas voy vais vale chico chicos chica chicas escribo escribe \
         sres sra sr doctora doctor dile dime diga digan disculpe disculpen perdone perdonen adjunto anterior evento \
         uno buen menudo menuda vaya claro llamo vivo trabajo hijo hija casa pues sois fueron hola holaa \
          muchas mucho mucha después despues antes dice dijo decir saben sabe nuestro nuestra sigue sin vuestros esperando espero",
    ),
    latin(
        Language::Ru,
        "",
        "privet zdravstvuyte zdravstvuite zdrastvuyte dobryj dobryi den den' pochemu pochemy chto shto kak kogda gde kto ne net da \
         vy vas vam menya mne moi moj moy moya moyo moe nash ya u eto etot eta ochen' ochen spasibo pozhaluysta pozhalujsta pojaluysta \
         pozhalusta dengi den'gi deneg zakaz zakaza rabotaet rabotayet ne_rabotaet uzhe eshe eshche esche nado nuzhno mozhno mojno \
         pomogite pomosch otvet otvet'te otvette verni vernite kuda skolko skol'ko vse vsyo tolko tol'ko ili esli potomu chtoby \
         bylo byla budet est' nichego sajt sayt pochta parol' parol akkaunt schet schyot zavtra segodnya vchera srochno tam tut \
         na za po ot iz dlya bez pro s_uvazheniem uvazheniem kotoryj kotoryy opyat opyat' nikto raz raza delal nichego prosto ego ona oni suki pidor nedelya nedelyu mesyats ot",
    ),
    latin(
        Language::Uk,
        "",
        "dobryi dobryy dobryj den vechir pryvit vitayu vitaju dyakuyu diakuiu djakuju dobroho dnya bud' laska chomu koly tse \
         ce shcho scho ya ja vzhe mene meni vash vasha vashoho vashe vidpovily vidpovid zamovlennya zamovlennja groshi hroshi \
         hroshej pratsiuie pracjuje pratsyuye nemaje nemaie nema duzhe treba pislia pislja vona vin kazhe kazhut tam tut vy ne \
         u vid do na za pid bez ale yak jak kudy skilky til'ky tilky bulo buv bula ye je sohodni zavtra vchora tyzhden misjats \
         rokiv khvylyn pyshu pysav pani mij moja moho nashoho nash proshu pidkazhit vybachte odyn odna dytyna rahunok rakhunok vyshlit' vyshlit nadishlit' nadishlit misyaciv misiatsiv sami ti ci tsi hosting oplata rekvizyty znov znovu shche",
    ),
    latin(
        Language::Other,
        "âêëîïûœæèùç",
        "le la les un une des du de et est sont je j'ai vous nous il elle ils que qui quoi pas ne n'est c'est dans pour avec \
         sans sur mon ma mes votre vos notre nos bonjour merci commande compte plus très être avoir fait ai avez avons au aux \
         cette ces mais ou où donc car par bien si tout tous rien quand comment pourquoi monsieur madame cordialement d'un jour \
         s'il plaît salut toujours encore depuis reçu facture argent remboursement",
    ),
    latin(
        Language::Other,
        "äöüß",
        "der die das ein eine einen einem einer und ist sind ich du sie er wir ihr mein meine meinen ihre ihren nicht kein \
         keine mit ohne für von zu zum zur auf in im an am bei nach aus dass wenn wie was wo wer warum guten tag hallo danke bitte bestellung \
         konto rechnung geld habe haben hat hatte wurde werden wird kann können möchte noch schon auch aber oder sehr mehr \
         immer seit den dem des als bis grüße freundlichen liebe sehr geehrte ihnen uns mich mir heute",
    ),
    latin(
        Language::Other,
        "ąęłśźżńć",
        "nie się jest i w z na do że to co jak czy ale dla po od za przez mam mnie mi moje mój moja pan pani państwo dzień dobry \
         dziękuję proszę zamówienie konto faktura pieniądze gdzie kiedy dlaczego już jeszcze tylko bardzo bez jestem są był była było \
         będzie tego tej ten ta te także oraz lub pozdrawiam witam można mogę chcę",
    ),
    latin(
        Language::Other,
        "ãõçâêô",
        "o a os as um uma de do da dos das em no na nos nas e ou que não sim por para com sem meu minha meus minhas seu sua eu \
         você vocês nós ele ela isso isto este esta está estou é são foi ser ter tem tenho quero preciso pedido conta obrigado \
         obrigada olá bom boa dia tarde senhor fatura dinheiro onde quando porque mais muito já ainda até também só mas como \
         recebi nada ao à pelo pela aguardo atenciosamente",
    ),
    latin(
        Language::Other,
        "èàùòì",
        "il lo la i gli le un uno una di del della dei delle da dal in nel nella con per su sul che chi cosa non sì è sono ho \
         hai ha abbiamo hanno mio mia miei vostro vostra buongiorno salve grazie ordine conto fattura soldi dove quando perché \
         come più molto già ancora anche ma se questo questa quello vorrei posso mi ti ci vi cordiali saluti anni tutto niente",
    ),
    latin(
        Language::Other,
        "ëï",
        "de het een en van is ik je jij u wij we zij niet geen met zonder voor naar op aan bij uit dat dit deze die als maar \
         ook nog wel al mijn uw jullie heb heeft hebben was zijn worden wordt kan kunnen wil bestelling rekening geld goedendag \
         hallo bedankt dank graag waar wanneer waarom hoe wat om te er groeten",
    ),
    latin(
        Language::Other,
        "åäöøæ",
        "och att det som en ett på är av för med till den har inte jag du vi ni min mitt mina era om men eller så hej tack när \
         hur var vad og er ikke jeg dere på til fra hei takk kan vil skal der de min mit mine ikke også meget hvor hvad hvorfor være \
         bestilling ordre konto penger penge på tilaus kiitos hei ei ole on ja se että mutta minun missä",
    ),
    latin(
        Language::Other,
        "čďěňřšťůžřýőűăâîșşțţğıİ",
        "je se na že jsem jsou není ale nebo mám můj moje prosím děkuji dobrý den objednávka účet peníze kde kdy proč ještě \
         som nie čo ako ďakujem şi și nu este sunt pentru care din cu mai am ce bună mulțumesc comanda vă rog unde ve bir bu \
         için ile değil ne nerede neden benim merhaba teşekkürler sipariş var yok çok lütfen és nem hogy van az egy \
         köszönöm rendelés kérem nincs miért",
    ),
    cyrillic(
        Language::Ru,
        "ыэёъ",
        "и в во не на я с со что а по это как но к у же за вы так из о от мне меня был была были было быть только уже мы вас \
         вам ваш ваша ваши вашу мой моя моё мое мои мою нет да если или для до когда где кто почему зачем сколько какой какая \
         какие чтобы еще ещё очень есть он она они его её ее их ему ей им этот эта эти этого все всё всех может можно нужно \
         надо хочу хотел хотела могу можете здравствуйте добрый день вечер утро привет спасибо пожалуйста заказ заказа \
         деньги денег счет счёт оплата оплатил оплатила цена почта письмо ответ ответьте работает сайт приложение пароль \
         аккаунт помогите помощь срочно вчера сегодня завтра неделя неделю месяц год лет раз опять снова никто ничего \
         что-то тоже потом теперь сейчас тут здесь там вообще просто больше лучше хорошо плохо себя себе того тем чем нас нам \
         наш при без про между через после перед под над верните вернуть жду ждать скажите подскажите уважением делать сделать \
         говорит сказал сказали знаете знаю вижу видел видела живу живёт купил купила пишу писал писала прошу извините извиняюсь \
         оставлю здорово вечера дня девушка мужчина человек люди ребята приветик доброе сказать работа работы \
         благодарю благодарим уважаемая уважаемый уважаемые хочу значит слушай ладно девочки времени суток курьер \
          ты тебя тебе твой рублей рубля руб почём хорошего понял поняла ли бы какого который которая которые свой свою",
    ),
    cyrillic(
        Language::Uk,
        "іїєґ",
        "і й та в у не на я з зі із що а по це як але до же за ви так о від мені мене був була були було бути тільки вже ми \
         вас вам ваш ваша ваші вашу мій моя моє мої мою ні немає нема так якщо або чи для коли де хто чому навіщо скільки який яка \
         які щоб ще дуже є він вона вони його її їх йому їй їм цей ця ці цього все всіх може можна треба потрібно хочу хотів \
         хотіла можу можете доброго дня день добрий вечора ранку вітаю привіт дякую будь ласка замовлення гроші грошей рахунок оплата \
         ціна пошта лист відповідь відповіді працює сайт застосунок додаток пароль допоможіть допомога терміново вчора \
         сьогодні завтра тиждень місяць рік років раз знову ніхто нічого щось теж також потім тепер зараз тут там взагалі \
         просто більше краще добре погано себе собі того тим чим нас нам наш при без про між через після перед під над \
         поверніть повернути чекаю скажіть підкажіть повагою робити зробити каже сказав сказали здрастуйте добридень знаєте знаю бачу бачив бачила живу живе купив купила пишу писав писала вибачте \
         отримала отримав людина люди дівчата хлопці колего пане пані шановні шановна суд сказати робота роботи \
         пропоную вам гру готель добри день \
          ти тебе тобі твій гривень гривні грн уваги пана минулий бан шо шось кажуть нехай хай \
         цілком жодного якого котрий свій свою би б же ж аби бо адже отже",
    ),
    // Bulgarian
    cyrillic(
        Language::Other,
        "",
        "се да че съм това който което каква къде моята моят поръчка благодаря много няма има ще със във от след за на не си е \
         са бъде може само още вече добър ден здравейте искам дълго как моля получил поръчката",
    ),
    // Serbian and Macedonian
    cyrillic(
        Language::Other,
        "јљњћђџѓќѕ",
        "је сам нисам није су смо да се за на од са у и или ли али што шта како где када молим хвала добар дан имам немам може \
         можете добио још мој моја",
    ),
    // Belarusian
    cyrillic(
        Language::Other,
        "ў",
        "дзе калі вельмі дзякуй добры дзень ёсць быў была мой мая ваш гэта што як не я ці чаму няма трэба заказ калі ласка",
    ),
    // Kazakh and its neighbours
    cyrillic(Language::Other, "әқңғүұһө", "мен сіз біз бар жоқ және үшін бұл рахмет"),
];

/// Some of the languages of the table, a bit for each index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Languages(u32);

impl Languages {
    const fn of(index: usize) -> Self {
        Self(1 << index)
    }

    fn add(&mut self, others: Self) {
        self.0 |= others.0;
    }

    /// Their indices, ascending.
    pub(super) fn indices(self) -> impl Iterator<Item = usize> {
        let mut bits = self.0;
        std::iter::from_fn(move || {
            let index = bits.trailing_zeros();
            bits &= bits.wrapping_sub(1);
            (index < u32::BITS).then_some(index as usize)
        })
    }
}

/// Places in the table of words: four times as many as there are words.
const SLOTS: usize = 1 << 14;

/// The frequent words, found by their hash.
struct Words {
    /// One more than an index of `known`; 0 where there is none.
    slots: Vec<u16>,
    known: Vec<(&'static str, Languages)>,
}

impl Words {
    /// FNV-1a (Fowler, Noll, Vo).
    fn slot(word: &str) -> usize {
        let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let hash = word.bytes().fold(0xcbf2_9ce4_8422_2325, fold);
        usize::try_from((hash ^ (hash >> 32)) & (SLOTS as u64 - 1)).unwrap_or(0)
    }

    /// The slots in which a word may stand, in order, and what is there.
    fn places<'a>(slots: &'a [u16], word: &str) -> impl Iterator<Item = (usize, usize)> + use<'a> {
        let first = Self::slot(word);
        (0..SLOTS)
            .map(move |step| (first + step) % SLOTS)
            .filter_map(|at| Some((at, usize::from(*slots.get(at)?))))
    }

    fn of(table: &'static [Entry]) -> Self {
        let mut known: BTreeMap<&'static str, Languages> = BTreeMap::new();
        for (index, entry) in table.iter().enumerate() {
            for word in entry.words.split_whitespace() {
                known.entry(word).or_default().add(Languages::of(index));
            }
        }
        let known: Vec<_> = known.into_iter().collect();
        let mut slots = vec![0; SLOTS];
        for (number, (word, _)) in (1..).zip(&known) {
            let free = Self::places(&slots, word).find(|(_, there)| *there == 0);
            if let Some(slot) = free.and_then(|(at, _)| slots.get_mut(at)) {
                *slot = number;
            }
        }
        Self { slots, known }
    }

    fn languages(&self, word: &str) -> Languages {
        let there =
            Self::places(&self.slots, word).map_while(|(_, there)| self.known.get(there.checked_sub(1)?));
        there.into_iter().find(|(known, _)| *known == word).map_or(Languages::default(), |(_, of)| *of)
    }
}

static WORDS: LazyLock<Words> = LazyLock::new(|| Words::of(TABLE));

/// Last letters, and the endings that end in them.
static BY_LAST: LazyLock<BTreeMap<char, Vec<(&'static str, Languages)>>> = LazyLock::new(|| {
    let mut by_last: BTreeMap<char, BTreeMap<&'static str, Languages>> = BTreeMap::new();
    for (of, script, endings) in ENDINGS {
        let Some(index) = TABLE.iter().position(|e| e.language == *of && e.cyrillic == *script) else {
            continue;
        };
        for ending in endings.split('|') {
            let Some(last) = ending.chars().last() else { continue };
            by_last.entry(last).or_default().entry(ending).or_default().add(Languages::of(index));
        }
    }
    by_last.into_iter().map(|(last, endings)| (last, endings.into_iter().collect())).collect()
});

/// Letters that only some languages have lie below this.
const LETTERS_END: usize = 0x530;

static LETTERS: LazyLock<Vec<Languages>> = LazyLock::new(|| {
    let mut letters = vec![Languages::default(); LETTERS_END];
    for (index, entry) in TABLE.iter().enumerate() {
        for letter in entry.letters.chars() {
            if let Some(languages) = letters.get_mut(letter as usize) {
                languages.add(Languages::of(index));
            }
        }
    }
    letters
});

/// The language of a table index, and whether it is written in Cyrillic.
pub(super) fn language(index: usize) -> (Language, bool) {
    TABLE.get(index).map_or((Language::Other, false), |entry| (entry.language, entry.cyrillic))
}

/// The languages in which this word is frequent.
pub(super) fn languages_of(word: &str) -> Languages {
    WORDS.languages(word)
}

/// The languages that have an ending of this word in lower case.
pub(super) fn languages_ending(word: &str) -> Languages {
    let mut languages = Languages::default();
    // short words have no endings
    if word.chars().nth(3).is_some()
        && let Some(endings) = word.chars().last().and_then(|last| BY_LAST.get(&last))
    {
        for (_, of) in endings.iter().filter(|(ending, _)| word.ends_with(ending)) {
            languages.add(*of);
        }
    }
    languages
}

/// The languages to which this letter belongs.
pub(super) fn languages_with(letter: char) -> Languages {
    LETTERS.get(letter as usize).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_letter_and_ending_of_the_table_is_found_for_its_languages() {
        for (index, entry) in TABLE.iter().enumerate() {
            for word in entry.words.split_whitespace() {
                assert!(languages_of(word).indices().any(|found| found == index), "{word}");
            }
            for letter in entry.letters.chars() {
                assert!(languages_with(letter).indices().any(|found| found == index), "{letter}");
            }
        }
        for (of, script, endings) in ENDINGS {
            for ending in endings.split('|') {
                let word = if *script { "абвг" } else { "abcd" }.to_owned() + ending;
                let found: Vec<_> = languages_ending(&word).indices().map(language).collect();
                assert!(found.contains(&(*of, *script)), "{word}: {found:?}");
            }
        }
        assert_eq!(languages_of("zymurgy"), Languages::default());
        assert_eq!(languages_ending("ing"), Languages::default(), "too short for an ending");
    }
}
