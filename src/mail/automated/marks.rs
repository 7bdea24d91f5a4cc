//! The words of machines. Lists are `|`-separated, lower case.

/// Whether an entry of a list passes.
pub(super) fn any(list: &str, test: impl FnMut(&str) -> bool) -> bool {
    list.split('|').any(test)
}

/// Subjects of delivery reports.
pub(super) const BOUNCE_SUBJECTS: &str = "undeliver|returned mail|delivery status|\
    delivery failure|failure notice|delivery fail|mail delivery|message delivery|\
    delivery notification|delivery error|delivery report|failed mail|returned to sender|\
    mail failure|non delivery|nondeliver|non-deliver|mail system error|could not be delivered|\
    not delivered|delivery delayed|warning: message|unzustellbar|не доставлен|недоставлен|\
    не может быть доставлено|невозможно доставить|не вдалося доставити|не доставлено|\
    no se pudo entregar|no entregado|error de entrega|devuelto al remitente|error sending|\
    mail error|notification d'échec|non remis|message status|user unknown|delivery has failed|\
    bounce";

/// Words at the beginning of delivery reports.
pub(super) const BOUNCE_TEXTS: &str = "could not be delivered|couldn't be delivered|\
    was not delivered|delivery to the following recipient|undeliverable|wasn't able to deliver|\
    unable to deliver|not able to deliver|permanent fatal errors|permanent error|\
    permanent failure|returned to sender|did not reach the following recipient|user unknown|\
    mailbox unavailable|mailbox is full|mailbox full|the following address|\
    the following recipient|550 5.|550 |554 |552 |quota|не удалось доставить|не было доставлено|\
    не доставлено|не вдалося доставити|no se pudo entregar|no se ha podido entregar|\
    delivery failed|delivery has failed|could not deliver|couldn't deliver|can not be delivered|\
    cannot be delivered|failed to deliver|host unknown|unknown user|no such user";

/// Subjects of answering machines.
pub(super) const AWAY_SUBJECTS: &str = "out of office|out of the office|automatic reply|\
    auto reply|auto-reply|autoreply|auto:|autoresponse|auto response|automated response|\
    automatic response|on vacation|away from|respuesta automática|respuesta automatica|\
    fuera de la oficina|fuera de oficina|ausente|автоответ|автоматический ответ|\
    автоматическая ответ|нет на месте|вне офиса|в отпуске|автовідповідь|автоматична відповідь|\
    поза офісом|у відпустці|відсутн|отсутств|abwesenheit|automatische antwort|\
    réponse automatique|absence du bureau|risposta automatica|resposta automática|vacation";

/// Words of answering machines.
pub(super) const AWAY_TEXTS: &str = "out of the office|out of office|on vacation|annual leave|\
    limited access to email|limited access to my email|will be back|will reply upon my return|\
    automatic reply|automated response|upon my return|when i return|i am away|i will be away|\
    fuera de la oficina|de vacaciones|a mi regreso|a mi vuelta|respuesta automática|\
    no estaré disponible|estoy de baja|в отпуске|отсутствую|автоматический ответ|вне офиса|\
    по возвращении|ограничен доступ|у відпустці|відсутн|автоматична відповідь|поза офісом|\
    після повернення|обмежений доступ|nicht im büro|en congé|absent";

/// Local parts of senders that report on mail.
pub(super) const DAEMONS: &str = "mailer-daemon|mailer_daemon|mailerdaemon|maildaemon|\
    mail-daemon|postmaster|post_master|mdaemon|bounce|bounces|double-bounce|microsoftexchange";

/// The same as display names.
pub(super) const DAEMON_NAMES: &str = "mail delivery s|mailer-daemon|mailer daemon|\
    delivery subsystem|postmaster|mail administrator|internet mail delivery|system administrator";

/// Local parts of senders that read no answers, letters only.
pub(super) const NO_REPLY: &str = "noreply|donotreply|dontreply|nepasrepondre|noresponder|\
    noresponda";

/// Beginnings of the subject of an answer or a forward.
pub(super) const ANSWERS: &str = "re:|fw:|fwd:|aw:|wg:|rv:|отв:|на:|пересл:|reenv:";
