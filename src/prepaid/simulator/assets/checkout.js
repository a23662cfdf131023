// The simulator's payment page: shows a session, takes a payment, tells the page around it.

const session = location.pathname.split("/").pop();
const given = new URLSearchParams(location.hash.slice(1));
const secret = given.get("client_secret") ?? "";
const key = given.get("key");
const parentOrigin = given.get("parent");
const part = (id) => document.getElementById(id);

const DELAYED = {
  sepa_debit: { label: "SEPA debit", field: "iban", succeeds: "AT611904300234573201", fails: "AT861904300235473202" },
  us_bank_account: { label: "US bank account", field: "account_number", succeeds: "000123456789", fails: "000111111116" },
  bacs_debit: { label: "Bacs debit", field: "account_number", succeeds: "00012345", fails: "00222227" },
};
const CARDS = {
  "4242424242424242": "pays",
  "4000000000000002": "is declined",
  "4000000000009995": "has too little money",
  "4000002500003155": "asks for authentication",
  "4000000000000259": "pays, and is disputed",
};
const COUNTRIES = ["US", "AT", "AU", "BE", "BR", "CA", "CH", "DE", "ES", "FR", "GB", "IE", "IN", "IT", "JP", "NL", "SE"];

let current = null;

const AWAY = "The payment form can't reach Stripe's simulator. Nothing was charged: try again.";

async function ask(what, body) {
  const answer = await fetch(`${session}/${what}`, {
    method: body === undefined ? "GET" : "POST",
    headers: {
      Authorization: `Bearer ${secret}`,
      ...(key ? { "X-Publishable-Key": key } : {}),
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  }).catch(() => {
    throw new Error(AWAY);
  });
  const told = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(told.error.message), { code: told.error.code });
  return told;
}

/** Currencies without decimals that Stripe counts in hundredths all the same. */
const HUNDREDTHS = new Set(["isk", "ugx"]);

/** An amount in its currency; its minor unit has as many digits as Intl says (none for yen). */
function money(amount, currency) {
  const format = new Intl.NumberFormat(undefined, { style: "currency", currency });
  const digits = HUNDREDTHS.has(currency) ? 2 : format.resolvedOptions().maximumFractionDigits;
  return format.format(amount / 10 ** digits);
}

function tell(message) {
  if (parentOrigin && parent !== window) parent.postMessage(message, parentOrigin);
}

function element(name, text, className) {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

function showOrder(state) {
  part("lines").replaceChildren(
    ...state.lines.map((line) => {
      const item = document.createElement("li");
      const named = element("span", line.description);
      named.append(" ", element("span", `Qty ${line.quantity}`, "quantity"));
      item.append(named, element("span", money(line.amount_subtotal, line.currency)));
      return item;
    }),
  );
  const { subtotal, tax, total, due } = state.summary;
  const sums = [["Subtotal", subtotal], ...(state.taxed ? [["Tax (simulated, 20 %)", tax]] : []), ["Total due", due]];
  part("sums").replaceChildren(
    ...sums.map(([label, amount]) => {
      const row = element("div", "", label === "Total due" ? "total" : "");
      row.append(element("dt", label), element("dd", money(amount, state.currency)));
      return row;
    }),
  );
  part("pay").textContent = total === 0 ? "Complete order" : `Pay ${money(due, state.currency)}`;
  part("order").hidden = false;
}

function showMethods(state) {
  const offered = state.payment_method_types.filter((type) => type in DELAYED);
  for (const type of offered) {
    if (document.querySelector(`input[name=method][value=${type}]`)) continue;
    const choice = element("label", "", "choice");
    const radio = Object.assign(document.createElement("input"), { type: "radio", name: "method", value: type });
    choice.append(radio, ` ${DELAYED[type].label}`);
    part("methods").append(choice);
  }
  const card = document.querySelector("input[name=method][value=card]");
  card.closest("label").hidden = !state.payment_method_types.includes("card");
  if (card.checked && card.closest("label").hidden) document.querySelector(`input[value=${offered[0]}]`)?.click();
  part("methods").hidden = offered.length === 0;
}

/** Show the one face that fits: to pay, to answer the bank, paid, or too late. */
function show(state) {
  current = state;
  const open = state.status === "open";
  const asking = open && state.attempt === "requires_action";
  showOrder(state);
  showMethods(state);
  part("form").hidden = !open || asking;
  part("challenge").hidden = !asking;
  part("message").hidden = open;
  if (state.status === "complete") {
    part("message").textContent =
      state.payment_status === "unpaid"
        ? "Thank you. Your bank is being asked for the payment; that takes a while."
        : "Thank you. The simulated payment succeeded.";
  }
  if (state.status === "expired") part("message").textContent = "This checkout has expired. Go back and start again.";
  if (asking) part("challenge").focus();
  document.body.dataset.status = asking ? "challenge" : state.status;
}

function finish(state) {
  const withId = (url) => url.replaceAll("{CHECKOUT_SESSION_ID}", state.id);
  const embedded = state.ui_mode !== "hosted_page";
  if (embedded) {
    const leaves = state.redirect_on_completion === "always" && state.return_url;
    tell({ type: "complete", session: state.id, return_url: leaves ? withId(state.return_url) : null });
  } else if (state.success_url) {
    location.assign(withId(state.success_url));
  }
}

function showError(problem) {
  part("error").textContent = problem.message;
  const field = { incorrect_number: "number", expired_card: "expiry", incorrect_cvc: "cvc" }[problem.code] ?? problem.field;
  for (const id of ["email", "number", "expiry", "cvc"]) part(id).toggleAttribute("aria-invalid", false);
  if (field) {
    part(field).setAttribute("aria-invalid", "true");
    part(field).focus();
  }
}

const chosen = () => new FormData(part("form")).get("method");

const wrong = (field, message) => Object.assign(new Error(message), { field });

function typedCard(form) {
  const number = form.get("number").replace(/\s/g, "");
  const [month, year] = form.get("expiry").split("/").map((text) => Number.parseInt(text, 10));
  if (!/^\d{12,19}$/.test(number)) throw wrong("number", "Your card number is incomplete.");
  if (!(month >= 1 && month <= 12) || !(year >= 0)) throw wrong("expiry", "Your card's expiry date is incomplete.");
  const fullYear = year > 99 ? year : 2000 + year;
  if (new Date(fullYear, month) <= new Date()) throw wrong("expiry", "Your card's expiry date is in the past.");
  if (!/^\d{3,4}$/.test(form.get("cvc"))) throw wrong("cvc", "Your card's security code is incomplete.");
  return { number, exp_month: month, exp_year: fullYear, cvc: form.get("cvc") };
}

function typed() {
  const form = new FormData(part("form"));
  const email = form.get("email").trim();
  if (!/^\S+@\S+$/.test(email)) throw wrong("email", "Please give your email address.");
  const type = form.get("method");
  if (type === "card") {
    const billing = { email, address: { country: form.get("country") } };
    if (form.get("name").trim()) billing.name = form.get("name").trim();
    return { type, card: typedCard(form), billing_details: billing };
  }
  const { field, ...numbers } = DELAYED[type];
  return { type, [type]: { [field]: numbers[form.get("outcome")] }, billing_details: { email } };
}

/** Do one thing with the buttons at rest, and show what came of it. */
async function during(work) {
  const buttons = document.querySelectorAll("button");
  buttons.forEach((button) => (button.disabled = true));
  part("error").textContent = "";
  try {
    const state = await work();
    show(state);
    if (state.status === "complete") finish(state);
  } catch (problem) {
    if (problem.code === "checkout_not_open" || problem.code === "payment_intent_authentication_failure") {
      show(await ask("state"));
    }
    showError(problem);
  } finally {
    buttons.forEach((button) => (button.disabled = false));
  }
}

part("form").addEventListener("submit", (event) => {
  event.preventDefault();
  during(async () => ask("pay", typed()));
});
part("accept").addEventListener("click", () => during(() => ask("challenge", { accepted: true })));
part("reject").addEventListener("click", () => during(() => ask("challenge", { accepted: false })));
part("methods").addEventListener("change", () => {
  part("card-fields").hidden = chosen() !== "card";
  part("delayed-fields").hidden = chosen() === "card";
});

new ResizeObserver(() => tell({ type: "height", height: document.documentElement.offsetHeight })).observe(document.body);

/** A test card that is pressed is typed in, with an expiry date and a code that any of them has. */
function cardChoice([number, does]) {
  const spaced = number.replace(/(.{4})(?=.)/g, "$1 ");
  const choice = Object.assign(element("button", spaced, "card"), { type: "button" });
  choice.addEventListener("click", () => {
    Object.assign(part("number"), { value: spaced });
    Object.assign(part("expiry"), { value: `12 / ${(new Date().getFullYear() + 3) % 100}` });
    Object.assign(part("cvc"), { value: "123" });
    part("pay").focus();
  });
  const item = element("li", "");
  item.append(choice, ` ${does}`);
  return item;
}

part("cards").replaceChildren(...Object.entries(CARDS).map(cardChoice));

const names = new Intl.DisplayNames(undefined, { type: "region" });
part("country").replaceChildren(
  ...COUNTRIES.map((code) => Object.assign(element("option", names.of(code)), { value: code })),
);

try {
  show(await ask("state"));
  if (current.email) part("email").value = current.email;
} catch (problem) {
  part("message").textContent = `This checkout can't be shown: ${problem.message}`;
}
