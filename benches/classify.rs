//! Mails a second on one core, for a mail of about 120 words in each language: all of it, without
//! rules, and the part that only reads (folds, splits and hashes). The worst case is a mail of words
//! that nobody knows: it must grow no faster than the mail.

#![expect(clippy::expect_used, reason = "a bench without its model is worthless")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use evenkeel::classify::{Model, Rules, Scratch, Thresholds, classify_with, text::Text};
use evenkeel::mail::Mail;

const EN: &str = "Good morning, I ordered a dining table from your shop on the fourth of March and it was due to arrive last Thursday between eight and one. I took the day off work. Nobody came and nobody called. When I rang your support line I waited for forty minutes and then a young man told me that the lorry had broken down and that somebody would ring me back the same day. That was five days ago. I have paid for the table in full and I have twelve people coming for dinner on Saturday. Could you please tell me when it will be here, and whether I can get back the delivery charge? I would also like to change the telephone number on my account. Kind regards, Margaret";
const ES: &str = "Buenos días, el cuatro de marzo compré una mesa de comedor en su tienda y tenía que llegar el jueves pasado entre las ocho y la una. Pedí el día libre en el trabajo. No vino nadie y nadie llamó. Cuando llamé al teléfono de atención esperé cuarenta minutos y después un chico me dijo que el camión se había averiado y que alguien me llamaría el mismo día. De eso hace ya cinco días. La mesa está pagada por completo y el sábado vienen doce personas a cenar. ¿Me pueden decir cuándo va a llegar y si me devuelven los gastos de envío? También quisiera cambiar el número de teléfono de mi cuenta. Un saludo, Margarita";
const RU: &str = "Доброе утро! Четвёртого марта я заказала у вас обеденный стол, привезти его должны были в прошлый четверг с восьми до часу. Я отпросилась с работы на целый день. Никто не приехал и никто не позвонил. Когда я дозвонилась до вашей поддержки, то ждала сорок минут, а потом молодой человек сказал, что машина сломалась и что мне перезвонят в тот же день. С тех пор прошло пять дней. Стол оплачен полностью, а в субботу ко мне придут на ужин двенадцать человек. Скажите, пожалуйста, когда его привезут и можно ли вернуть деньги за доставку? Ещё я хотела бы поменять номер телефона в личном кабинете, старый больше не работает. С уважением, Маргарита Павловна";
const UK: &str = "Доброго ранку! Четвертого березня я замовила у вас обідній стіл, привезти його мали минулого четверга з восьмої до першої. Я відпросилася з роботи на цілий день. Ніхто не приїхав і ніхто не подзвонив. Коли я додзвонилася до вашої підтримки, то чекала сорок хвилин, а потім молодий чоловік сказав, що машина зламалася і що мені передзвонять того самого дня. Відтоді минуло п'ять днів. Стіл оплачено повністю, а в суботу до мене прийдуть на вечерю дванадцять людей. Скажіть, будь ласка, коли його привезуть і чи можна повернути гроші за доставку? Ще я хотіла б змінити номер телефону в особистому кабінеті, старий більше не працює. З повагою, Маргарита Павлівна";

fn classify(criterion: &mut Criterion) {
    let model = Model::shipped().expect("the shipped model");
    let rules = Rules::shipped().expect("the shipped rules");
    let (none, thresholds) = (Rules::default(), Thresholds::default());
    let mut scratch = Scratch::default();
    let mut group = criterion.benchmark_group("classify");
    group.throughput(Throughput::Elements(1));
    for (name, body) in [("en", EN), ("es", ES), ("ru", RU), ("uk", UK)] {
        let mail = Mail::from_message("Margaret", "m@customer.example", "Table", body);
        group.bench_function(name, |bencher| {
            bencher.iter(|| classify_with(&mut scratch, black_box(&mail), &model, &rules, &thresholds));
        });
        group.bench_function(format!("{name}/model-only"), |bencher| {
            bencher.iter(|| classify_with(&mut scratch, black_box(&mail), &model, &none, &thresholds));
        });
        let mut text = Text::default();
        group.bench_function(format!("{name}/read-only"), |bencher| {
            bencher.iter(|| text.read(black_box(&mail), model.lexicon()));
        });
    }
    // nothing known: every word costs its n-grams
    for count in [120_u32, 600] {
        let odd: Vec<String> =
            (0..count).map(|n| format!("{:x}zq{n:x}", n.wrapping_mul(2_654_435_761))).collect();
        let odd = odd.join(" ");
        let mail = Mail { language: evenkeel::mail::Language::En, new_text: odd, ..Mail::default() };
        group.bench_function(format!("unknown-words/{count}"), |bencher| {
            bencher.iter(|| classify_with(&mut scratch, black_box(&mail), &model, &rules, &thresholds));
        });
    }
    group.finish();
}

criterion_group!(benches, classify);
criterion_main!(benches);
