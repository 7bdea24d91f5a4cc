"""Quality and speed of evenkeel beside fastText, scikit-learn, rspamd and SpamAssassin.

Called by `run` with a work directory, the datasets and what to measure. Peers learn from the same
training mails (subject and body) and are measured on the same others. Writes benches/peers/results.md.
"""

import csv
import datetime
import glob
import json
import os
import subprocess
import sys
import time
import urllib.request

import fasttext
import numpy as np
from scipy.sparse import hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import LinearSVC

WORK, DATASETS, WHAT = sys.argv[1], sys.argv[2], sys.argv[3:] or ["speed", "quality"]
EVENKEEL, THROUGHPUT = os.environ["EVENKEEL"], os.environ["THROUGHPUT"]
SECONDS = 3.0
LABELS = (
    "automated threat harassment abuse panic entitlement criticism complaint pricing idea question praise"
).split()
fasttext.FastText.eprint = lambda *_: None
out = []


def say(line=""):
    print(line, flush=True)
    out.append(line)


def evenkeel(*words):
    return subprocess.run([EVENKEEL, *words], check=True, capture_output=True, text=True).stdout


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def write(path, mails):
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(mail, ensure_ascii=False) + "\n" for mail in mails)
    return path


def text(mail):
    return (mail["subject"] + " " + mail["body"]).replace("\n", " ").strip()


def vectoriser():
    """Word 1-2-grams and character 2-5-grams within words: the best of the study."""
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2)
    grams = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, min_df=2)
    return words, grams


def vectors(pair, texts, fit=False):
    return hstack([v.fit_transform(texts) if fit else v.transform(texts) for v in pair]).tocsr()


def fast(path, mails, labels, **options):
    """fastText, supervised, one-vs-all; labels are given by number."""
    with open(path, "w", encoding="utf-8") as file:
        for mail in mails:
            marks = " ".join(f"__label__{labels.index(label)}" for label in mail["labels"]) or "__label__none"
            file.write(f"{marks} {text(mail)}\n")
    return fasttext.train_supervised(path, loss="ova", thread=2, verbose=0, **options)


FAST = {
    "fastText, words": dict(lr=0.5, epoch=50, wordNgrams=2, dim=50, minn=0, maxn=0),
    "fastText, words and 2-5-grams": dict(lr=0.5, epoch=50, wordNgrams=2, dim=50, minn=2, maxn=5),
}


def chances(model, texts, labels):
    table = np.zeros((len(texts), len(labels)))
    for row, said in enumerate(texts):
        for name, chance in zip(*model.predict(said, k=-1)):
            name = name.removeprefix("__label__")
            if name != "none":
                table[row, int(name)] = chance
    return table


def flags(mails, labels):
    return np.array([[label in mail["labels"] for label in labels] for mail in mails])


def rate(once, count):
    """Items a second: `once` handles `count` of them."""
    once()
    start, done = time.perf_counter(), 0
    while time.perf_counter() - start < SECONDS:
        once()
        done += count
    return done / (time.perf_counter() - start)


def corpus():
    mails = {}
    for path in sorted(glob.glob("data/corpus/*/*.jsonl")):
        mails.update((mail["id"], mail) for mail in lines(path))
    judged = f"{WORK}/judgements.jsonl"
    evenkeel("train", "--model", f"{WORK}/own.model", "--judgements", judged)
    known = {line["id"] for line in lines(judged)}
    return [m for i, m in mails.items() if i in known], [m for i, m in mails.items() if i not in known]


def speed():
    train, held = corpus()
    say("## Speed: from text to twelve probabilities, one core, mails a second\n")
    say("Mails of 90 to 160 words of the corpus. fastText and scikit-learn are trained on the corpus' training")
    say("part and timed in batches, their best case; evenkeel and fastText mail by mail in process.\n")
    sets = {}
    for language in ["en", "es", "ru", "uk"]:
        fit = [m for m in train + held if m["lang"] == language and 90 <= len(m["body"].split()) <= 160]
        sets[language] = write(f"{WORK}/{language}.jsonl", fit)
    rows = {}
    for line in subprocess.run([THROUGHPUT, *sets.values()], check=True, capture_output=True, text=True).stdout.splitlines():
        found = json.loads(line)
        rows.setdefault("**evenkeel**", []).append(found["mails_per_second"])
    pair = vectoriser()
    x = vectors(pair, [text(m) for m in train], fit=True)
    linear = OneVsRestClassifier(LogisticRegression(C=10, solver="liblinear")).fit(x, flags(train, LABELS))
    models = {name: fast(f"{WORK}/fast.txt", train, LABELS, **how) for name, how in FAST.items()}
    for path in sets.values():
        texts = [text(mail) for mail in lines(path)][:400]
        rows.setdefault("scikit-learn, words and 2-5-grams, LogReg", []).append(
            rate(lambda: linear.predict_proba(vectors(pair, texts)), len(texts))
        )
        for name, model in models.items():
            rows.setdefault(name, []).append(rate(lambda: [model.predict(said, k=-1) for said in texts], len(texts)))
    own = np.mean(rows["**evenkeel**"])
    say("| | en | es | ru | uk | evenkeel is |")
    say("|---|---|---|---|---|---|")
    for name, rates in rows.items():
        ratio = own / np.mean(rates)
        say(f"| {name} | " + " | ".join(f"{r:,.0f}" for r in rates) + f" | {ratio:.1f} × |")
    say()
    whole(sets["en"])


def whole(path):
    """Whole programs on the same files: parsing included."""
    folder = f"{WORK}/eml"
    os.makedirs(folder, exist_ok=True)
    mails = lines(path)[:300]
    for number, mail in enumerate(mails):
        name = mail["from_name"].replace('"', "").encode("ascii", "ignore").decode()
        subject = mail["subject"].encode("ascii", "ignore").decode()
        head = (
            f'From: "{name}" <person{number}@customer.example>\nTo: help@company.example\nSubject: {subject}\n'
            f"Date: Mon, 2 Nov 2026 10:{number % 60:02}:00 +0000\nMessage-ID: <{number}@customer.example>\n"
            "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
        )
        with open(f"{folder}/{number:04}.eml", "w", encoding="utf-8") as file:
            file.write(head + mail["body"] + "\n")
    files = sorted(glob.glob(f"{folder}/*.eml"))
    say("Whole programs on the same 300 English mails as files (read, parse, judge), mails a second. They do")
    say("other work than ours (spam); the column says what a mail costs where one of them runs already.\n")
    say("| | mails/s | evenkeel is |")
    say("|---|---|---|")
    many = folder + "-many"
    os.makedirs(many, exist_ok=True)
    for copy in range(40):
        for file in files:
            os.link(file, f"{many}/{copy}-{os.path.basename(file)}")

    def timed(count, call):
        start = time.perf_counter()
        call()
        return count / (time.perf_counter() - start)

    own = timed(40 * len(files), lambda: evenkeel("classify", "--format", "jsonl", many))
    say(f"| **evenkeel classify**, start included | {own:,.0f} | |")

    def rspamd():
        for file in files:
            with open(file, "rb") as mail:
                request = urllib.request.Request(f"http://{os.environ['RSPAMD']}/checkv2", mail.read())
                urllib.request.urlopen(request, timeout=30).read()

    try:
        for _ in range(100):
            try:
                urllib.request.urlopen(f"http://{os.environ['RSPAMD']}/ping", timeout=1).read()
                break
            except OSError:
                time.sleep(0.2)
        rspamd()
        theirs = timed(len(files), rspamd)
        say(f"| rspamd, one worker over HTTP, no network lookups | {theirs:,.0f} | {own / theirs:.0f} × |")
    except OSError as error:
        say(f"| rspamd | not measured: {error} | |")
    perl = (
        "use Mail::SpamAssassin; my $sa = Mail::SpamAssassin->new({local_tests_only => 1, "
        "userprefs_filename => '/dev/null', dont_copy_prefs => 1}); $sa->init(1); use Time::HiRes 'time'; my $t = time;"
        "for my $f (@ARGV) { open my $h, '<', $f; my @l = <$h>; my $m = $sa->parse(\\@l); my $s = $sa->check($m);"
        "$s->finish; $m->finish } print scalar(@ARGV) / (time - $t)"
    )
    theirs = subprocess.run(["perl", "-e", perl, *files], capture_output=True, text=True)
    try:
        say(f"| SpamAssassin in process, local tests | {float(theirs.stdout):,.0f} | {own / float(theirs.stdout):.0f} × |\n")
    except ValueError:
        say(f"| SpamAssassin | not measured: {theirs.stderr.strip()[:80]} | |\n")


def banking77():
    folder = f"{DATASETS}/text/banking77/banking_data"
    if not os.path.isdir(folder):
        return say(f"banking77: skipped, {folder} is not there")
    labels = json.load(open(f"{folder}/categories.json"))

    def read(part):
        with open(f"{folder}/{part}.csv", encoding="utf-8") as file:
            return [
                {"id": f"{part}-{n}", "lang": "en", "from_name": "", "subject": "", "body": row["text"],
                 "labels": [row["category"]], "primary": row["category"]}
                for n, row in enumerate(csv.DictReader(file))
            ]

    train, test = read("train"), read("test")
    truth = [mail["primary"] for mail in test]
    results = {}
    learn, check = write(f"{WORK}/train.jsonl", train), write(f"{WORK}/test.jsonl", test)
    start = time.perf_counter()
    evenkeel("train", "--all", "--tune", "--corpus", learn, "--labels", ",".join(labels), "--model", f"{WORK}/b77.model")
    seconds = time.perf_counter() - start
    figures = json.loads(evenkeel(
        "evaluate", "--all", "--format", "jsonl", "--corpus", check, "--labels", ",".join(labels),
        "--model", f"{WORK}/b77.model").splitlines()[-1])
    results["**evenkeel**, ridges by cross-validation"] = (figures["primary"], figures.get("calibration_error"), seconds)
    cut = [n for n in range(len(train)) if n % 5 == 4]
    rest = [n for n in range(len(train)) if n % 5 != 4]
    pair = vectoriser()
    x = vectors(pair, [text(m) for m in train], fit=True)
    y = np.array([mail["primary"] for mail in train])
    xt = vectors(pair, [text(m) for m in test])
    for name, kinds in {
        "scikit-learn, LogReg": [LogisticRegression(C=c, max_iter=300) for c in (10, 100)],
        "scikit-learn, LinearSVC": [LinearSVC(C=c) for c in (0.3, 1, 3)],
    }.items():
        start = time.perf_counter()
        kind = max(kinds, key=lambda k: k.fit(x[rest], y[rest]).score(x[cut], y[cut]))
        said = kind.fit(x, y).predict(xt)
        results[name] = (float(np.mean(said == truth)), None, time.perf_counter() - start)
    for name, how in FAST.items():
        start = time.perf_counter()
        model = fast(f"{WORK}/fast.txt", train, labels, **how)
        said = [labels[n] for n in chances(model, [text(m) for m in test], labels).argmax(axis=1)]
        results[name] = (float(np.mean(np.array(said) == truth)), None, time.perf_counter() - start)
    say("## banking77 (77 intents, fixed split, 3,080 test lines)\n")
    say("| | accuracy | ECE | s to train |")
    say("|---|---|---|---|")
    for name, (accuracy, ece, seconds) in results.items():
        say(f"| {name} | {accuracy:.4f} | {'' if ece is None else f'{ece:.3f}'} | {seconds:.0f} |")
    say()


def mail(name, line, labels):
    found = sorted(set(line.get("intents", [])), key=labels.index)
    return {"id": name, "lang": "en", "from_name": "", "subject": "", "body": line["text"], "labels": found,
            "primary": found[0] if found else None}


def fold_of_nlupp(train, test, labels):
    """Decisions of everybody on one fold."""
    learn, check, model = write(f"{WORK}/n.jsonl", train), write(f"{WORK}/t.jsonl", test), f"{WORK}/n.model"
    taxonomy = ["--labels", ",".join(labels)]
    evenkeel("train", "--all", "--corpus", learn, *taxonomy, "--model", model)
    evenkeel("evaluate", "--all", "--corpus", check, *taxonomy, "--model", model, "--judgements", f"{WORK}/j.jsonl")
    own = {line["id"]: line["decided"] for line in lines(f"{WORK}/j.jsonl")}
    yield "**evenkeel**", flags([{"labels": own[mail["id"]]} for mail in test], labels)
    pair = vectoriser()
    x, xt = vectors(pair, [text(m) for m in train], fit=True), vectors(pair, [text(m) for m in test])
    y = flags(train, labels)
    for c in (10, 100):
        linear = OneVsRestClassifier(LogisticRegression(C=c, solver="liblinear"))
        yield f"scikit-learn, LogReg C={c}", linear.fit(x, y).predict(xt)
    yield "scikit-learn, LinearSVC", OneVsRestClassifier(LinearSVC()).fit(x, y).predict(xt)
    for name, how in FAST.items():
        yield name, chances(fast(f"{WORK}/fast.txt", train, labels, **how), [text(m) for m in test], labels) >= 0.5


def nlupp():
    folder = f"{DATASETS}/text/nlupp/data"
    if not os.path.isdir(folder):
        return say(f"NLU++: skipped, {folder} is not there")
    say("## NLU++ (multi-label, 10 folds as published), macro-F1\n")
    domains = ["banking", "hotels"]
    say("| | " + " | ".join(domains) + " |")
    say("|---|" + "---|" * len(domains))
    table = {}
    for domain in domains:
        files = [json.load(open(f"{folder}/{domain}/fold{n}.json", encoding="utf-8")) for n in range(20)]
        folds = [files[n] + files[n + 1] for n in range(0, 20, 2)]
        labels = sorted({label for fold in folds for line in fold for label in line.get("intents", [])})
        mails = [[mail(f"{f}-{n}", line, labels) for n, line in enumerate(fold)] for f, fold in enumerate(folds)]
        truth, decided = [], {}
        for at, test in enumerate(mails):
            train = [line for f, fold in enumerate(mails) if f != at for line in fold]
            truth.append(flags(test, labels))
            for name, said in fold_of_nlupp(train, test, labels):
                decided.setdefault(name, []).append(said)
        for name, said in decided.items():
            score = f1_score(np.vstack(truth), np.vstack(said), average="macro", zero_division=0)
            table.setdefault(name, []).append(float(score))
    for name, each in table.items():
        say(f"| {name} | " + " | ".join(f"{score:.3f}" for score in each) + " |")
    say()


say(f"Written by `benches/peers/run {' '.join(WHAT)}` on {datetime.date.today()}; compare ratios, not seconds.\n")
if "speed" in WHAT:
    speed()
if "quality" in WHAT:
    banking77()
    nlupp()
with open("benches/peers/results.md", "w", encoding="utf-8") as file:
    file.write("# evenkeel and its peers\n\n" + "\n".join(out) + "\n")
