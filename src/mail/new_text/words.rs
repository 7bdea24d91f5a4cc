//! The words by which mail programs mark what is not new. Lists are `|`-separated, lower case.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

/// Whether an entry of a list passes.
pub(super) fn any(list: &str, test: impl FnMut(&str) -> bool) -> bool {
    list.split('|').any(test)
}

/// The entries of a list by one letter of each.
fn by_letter(list: &'static str, letter: impl Fn(&str) -> Option<char>) -> BTreeMap<char, Vec<&'static str>> {
    let mut entries: BTreeMap<char, Vec<&'static str>> = BTreeMap::new();
    for entry in list.split('|') {
        if let Some(letter) = letter(entry) {
            entries.entry(letter).or_default().push(entry);
        }
    }
    entries
}

/// A list of beginnings, found by their first character: lines are looked at by the ten thousand.
pub(super) struct Starts(BTreeMap<char, Vec<&'static str>>);

impl Starts {
    fn new(list: &'static str) -> Self {
        Self(by_letter(list, |start| start.chars().next()))
    }

    /// Whether a text in lower case has one of the beginnings, and what follows passes.
    pub(super) fn any(&self, lower: &str, test: impl Fn(&str) -> bool) -> bool {
        let starts = lower.chars().next().and_then(|first| self.0.get(&first));
        starts.is_some_and(|starts| starts.iter().any(|start| lower.strip_prefix(start).is_some_and(&test)))
    }

    /// Whether a text has one of the beginnings, in whichever case.
    pub(super) fn of(&self, text: &str) -> bool {
        let first = text.chars().next().and_then(|first| first.to_lowercase().next());
        let starts = first.and_then(|first| self.0.get(&first));
        starts.is_some_and(|starts| starts.iter().any(|start| starts_with(text, start)))
    }
}

/// Whether a text begins so, in whichever case; `start` is in lower case.
fn starts_with(text: &str, start: &str) -> bool {
    let mut lower = text.chars().flat_map(char::to_lowercase);
    start.chars().all(|letter| lower.next() == Some(letter))
}

/// A list of endings, found by their last character.
pub(super) struct Ends(BTreeMap<char, Vec<&'static str>>);

impl Ends {
    fn new(list: &'static str) -> Self {
        Self(by_letter(list, |end| end.chars().next_back()))
    }

    /// Whether a text has one of the endings.
    pub(super) fn of(&self, text: &str) -> bool {
        let ends = text.chars().next_back().and_then(|last| self.0.get(&last));
        ends.is_some_and(|ends| ends.iter().any(|end| text.ends_with(end)))
    }
}

pub(super) static ENDS_ATTRIBUTION: LazyLock<Ends> = LazyLock::new(|| Ends::new(WROTE_LAST));
pub(super) static STARTS_ATTRIBUTION: LazyLock<Starts> = LazyLock::new(|| Starts::new(ATTRIBUTION_WORDS));
pub(super) static STARTS_WITH_DAY: LazyLock<Starts> = LazyLock::new(|| Starts::new(ATTRIBUTION_DAYS));
pub(super) static STARTS_FORWARD: LazyLock<Starts> = LazyLock::new(|| Starts::new(FORWARDED));
pub(super) static STARTS_ORIGINAL: LazyLock<Starts> = LazyLock::new(|| Starts::new(ORIGINAL));
pub(super) static STARTS_FOOTER: LazyLock<Starts> = LazyLock::new(|| Starts::new(FOOTERS));
pub(super) static STARTS_NOTICE: LazyLock<Starts> = LazyLock::new(|| Starts::new(NOTICES));

/// Words that say no more than "what matters is below", in four languages.
pub(super) const POINTING: &str = "fyi|fwd|fw|see|below|please|pls|look|read|forwarding|forwarded|\
    for|your|info|information|the|this|attached|hi|hello|thanks|and|mail|email|message|at|\
    ver|vean|vea|mira|mirad|miren|abajo|más|reenvío|reenvio|os|les|te|lo|para|su|tu|información|\
    conocimiento|hola|gracias|favor|por|adjunto|el|correo|\
    см|смотрите|смотри|ниже|к|сведению|пересылаю|вам|для|информации|пожалуйста|это|здравствуйте|\
    добрый|день|посмотрите|письмо|во|вложении|привет|спасибо|\
    див|дивіться|дивись|нижче|до|відома|пересилаю|надсилаю|інформації|прошу|це|дякую|вітаю|\
    доброго|дня|гляньте|лист|у|вкладенні|будь|ласка";

/// Beginnings of an attribution that are words of their own.
const ATTRIBUTION_WORDS: &str = "on |on\u{a0}|el |le |em |il |op |den |dnia |w dniu |dne ";

/// Other beginnings of an attribution: prepositions and days of the week.
const ATTRIBUTION_DAYS: &str = "am |in |at |pe |от |від |пн|вт|ср|чт|пт|сб|нд|вс|понед|\
    вторн|сред|четв|пятн|субб|воскр|вівт|сер|п'ят|пʼят|субо|неді|mon|tue|wed|thu|fri|sat|sun|lun|\
    mar|mié|jue|vie|sáb|dom";

/// Verbs of an attribution.
pub(super) const WROTE: &str = "wrote|writes|said|escribió|escribio|ha escrito|написал|писал|пишет|\
    написав|пише|писав|schrieb|geschrieben|a écrit|ha scritto|escreveu|napisał|pisze|skrev|schreef|\
    geschreven|kirjoitti|napsal|napísal|írta|yazdı|a scris|έγραψε|写道|のメール|作成";

/// Verbs that end an attribution without a colon.
const WROTE_LAST: &str = "wrote|escribió|написал|написал(а)|пише|написав";

/// Where a ticket system wants the answer.
pub(super) const ABOVE_THIS_LINE: &str = "above this line|above the line|reply above|\
    por encima de esta línea|encima de esta línea|выше этой строки|выше этой линии|вище цього рядка|\
    вище цієї лінії|вище цієї риски|oberhalb dieser zeile|au-dessus de cette ligne|\
    acima desta linha|sopra questa riga|powyżej tej linii";

/// Words of [`ABOVE_THIS_LINE`] that few other lines hold: looked for first.
const ABOVE: &str = "above|ABOVE|Above|encima|выше|Выше|вище|Вище|oberhalb|dessus|acima|sopra|powyżej";

/// Whether a line holds one of them: all at once, for every line is asked.
pub(super) static HAS_ABOVE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(ABOVE).ok());

/// How a ticket system asks for the answer.
pub(super) const ASKS_FOR_REPLY: &str = "##|reply|respond|type|write|respuesta|respon|escrib|ответ|\
    пишите|відпов|пишіть|antwort|répon|rispost|odpowied";

/// Marks above a forwarded mail.
const FORWARDED: &str = "forwarded message|begin forwarded message|forwarded by|\
    forwarded mail|original message forwarded|\
    пересылаемое сообщение|пересланное сообщение|пересылаемое письмо|перенаправленное сообщение|\
    начало переадресованного сообщения|начало переадресованного письма|\
    начало пересылаемого сообщения|переадресованное сообщение|\
    переслане повідомлення|пересланий лист|початок листа, що пересилається|\
    початок переадресованого повідомлення|перенаправлене повідомлення|\
    повідомлення, що пересилається|перенаправлений лист|\
    mensaje reenviado|inicio del mensaje reenviado|correo reenviado|\
    weitergeleitete nachricht|anfang der weitergeleiteten nachricht|message transféré|message transmis|\
    début du message réexpédié|début du message transféré|message transmis|messaggio inoltrato|\
    inizio messaggio inoltrato|messaggio inoltrato da|mensagem encaminhada|mensagem reencaminhada|\
    início da mensagem encaminhada|início da mensagem reencaminhada|wiadomość przekazana|\
    początek przekazywanej wiadomości|przekazana wiadomość|treść przekazanej wiadomości|\
    wiadomość przesłana dalej|przesłana wiadomość|\
    doorgestuurd bericht|begin doorgestuurd bericht|přeposlaná zpráva|preposlaná správa|\
    videresendt meddelelse|videresendt besked|videresendt melding|videresendt e-post|\
    vidarebefordrat meddelande|vidarebefordrat mail|välitetty viesti|edelleenlähetetty viesti|\
    továbbított üzenet|iletilmiş mesaj|yönlendirilmiş mesaj|mesaj redirecționat|mesaj redirijat|\
    proslijeđena poruka";

/// Marks above the earlier mail.
const ORIGINAL: &str = "original message|original appointment|mensaje original|\
    исходное сообщение|исходное письмо|оригинальное сообщение|первоначальное сообщение|\
    вихідне повідомлення|оригінал повідомлення|оригінальне повідомлення|початкове повідомлення|\
    ursprüngliche nachricht|originalnachricht|message d'origine|message original|\
    messaggio originale|mensagem original|wiadomość oryginalna|oryginalna wiadomość|\
    oorspronkelijk bericht|reply message|ответное сообщение|oprindelig besked|oprindelig meddelelse|\
    opprinnelig melding|ursprungligt meddelande|alkuperäinen viesti|původní zpráva|pôvodná správa|\
    eredeti üzenet|orijinal mesaj|mesaj original|mesajul original";

/// Field names of a quoted header block.
pub(super) const FROM: &str = "from|de|от|от кого|від|від кого|von|da|od|van|från|fra|expéditeur|\
    отправитель|відправник|remitente|lähettäjä|kimden|gönderen|feladó|šalje|saatja|de la";
/// See [`FROM`].
pub(super) const DATE: &str = "sent|date|enviado|enviado el|enviada|enviado em|enviada em|fecha|\
    отправлено|отправлен|дата|дата отправки|надіслано|відправлено|gesendet|datum|envoyé|envoyé le|\
    inviato|data|wysłano|wysłane|verzonden|skickat|sendt|dato|päivämäärä|päiväys|lähetetty|tarih|\
    dátum|odesláno|отправлено в";
/// See [`FROM`].
pub(super) const TO: &str = "to|para|кому|an|à|a|do|до|aan|till|til|destinataire|получатель|\
    одержувач|destinatario|vastaanottaja|kime|címzett|komu|pour";
/// See [`FROM`].
pub(super) const SUBJECT: &str = "subject|asunto|тема|betreff|objet|oggetto|temat|assunto|onderwerp|\
    ämne|emne|sujet|aihe|konu|tárgy|předmět|predmet|subiect";
/// See [`FROM`].
pub(super) const OTHER_FIELD: &str = "cc|bcc|copia|копия|копія|kopie|cópia|kopia|dw|ccn|reply-to|\
    importance|важность|attachments|вложения|responder a|organization|kopi|kópia";

/// Beginnings of a line that a phone or a mail program appends.
const FOOTERS: &str = "sent from my |sent from mail|sent from outlook|sent from yahoo|\
    sent from the |sent from a |sent from i|sent from windows|sent from samsung|sent from android|\
    sent from galaxy|sent from nine|sent from proton|sent from aol|sent from [|sent via |sent with |\
    sent by |sent using |from my iphone|someone from mobile|get outlook for|get [outlook|\
    отправлено с |отправлено со |отправлено из |отправлено через |отправлено от |отправлено моим|\
    послано с |получить outlook|загрузить outlook|скачать outlook|\
    надіслано з |надіслано із |надіслано за допомогою|надіслано через|надіслано від|\
    відправлено з |відправлено із |завантажити outlook|\
    enviado desde |enviado con |enviado mediante|mandado desde |obtener outlook|obtén outlook|\
    enviado do meu|enviado a partir|von meinem |gesendet von |gesendet mit |\
    diese nachricht wurde von meinem|envoyé de mon |envoyé depuis |envoyé à partir|inviato da |\
    wysłane z |wysłano z |verzonden met|verzonden vanaf|verstuurd vanaf|skickat från|sendt fra |從我的";

/// Beginnings of a confidentiality notice.
const NOTICES: &str = "confidentiality notice|disclaimer:|this e-mail and any|\
    this email and any|this message and any|this e-mail is confidential|this email is confidential|\
    this message is confidential|this message contains confidential|this e-mail (|this email (|\
    the information contained in this|the information in this e|aviso legal|\
    aviso de confidencialidad|este mensaje y sus|este mensaje y los|este correo electrónico y|\
    este mensaje va dirigido|la información contenida en este|este mensaje contiene|\
    настоящее сообщение|данное сообщение и|это сообщение и любые|это электронное сообщение|\
    данное электронное|информация, содержащаяся в|уведомление о конфиденциальности|\
    це повідомлення та|це повідомлення і|цей лист та|цей електронний лист|\
    інформація, що міститься|повідомлення про конфіденційність|diese e-mail enthält|ce message et|\
    before printing|please consider the environment|p please consider|antes de imprimir";

/// What a confidentiality notice must also say, lest a customer's sentence be taken for one.
pub(super) const NOTICE_PROOF: &str = "confiden|конфиден|конфіден|vertraulich|legal|privileg|\
    intended|environment|imprimir|printing|адресат|disclaimer";
