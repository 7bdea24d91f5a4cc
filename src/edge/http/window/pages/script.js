// Makes the window quicker to use; every page works without it.
"use strict";

// the review queue: one click, no other page, on to the next mail
async function correct(event) {
  const form = event.target;
  event.preventDefault();
  const said = new URLSearchParams(new FormData(form, event.submitter));
  const note = form.parentElement.querySelector("[role=status]") ?? document.createElement("p");
  note.className = "note";
  note.setAttribute("role", "status");
  form.before(note);
  try {
    const answer = await fetch(form.action, { method: "POST", body: said });
    if (!answer.ok) throw new Error(answer.status);
    note.textContent = `Noted: ${event.submitter.name}.`;
    const next = form.closest("li").nextElementSibling?.querySelector("button");
    form.remove();
    next?.focus();
  } catch {
    note.textContent = "Not noted. Load the page again, and repeat.";
    event.submitter.focus();
  }
}

for (const form of document.querySelectorAll("form.correct")) form.addEventListener("submit", correct);

// queues now: the page renews itself while nobody works in it
if (location.pathname === "/" && document.querySelector("nav")) {
  setInterval(() => {
    if (!document.hidden && document.activeElement === document.body) location.reload();
  }, 60_000);
}
