// The walk of tests/look: which pages there are it reads from the route table, how to reach them it finds by following
// links, so that a new page is looked at without a word here.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const { LOOK_MODULES, LOOK_OUT, LOOK_ADDRESS, CHROME_PATH, LOOK_ONLY } = process.env;
const require = createRequire(join(LOOK_MODULES, "node_modules", "x.js"));
const { chromium } = require("playwright-core");
const { HtmlValidate } = require("html-validate");
const AXE_SOURCE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const PASSWORD = "Demo-pass-1";
const PEOPLE = {
  master: "ingrid@demo.example",
  admin: "tomasz@demo.example",
  billing: "ilaria@demo.example",
  member: "samuel@demo.example",
};
const WIDTHS = [320, 390, 600, 900, 1280, 1600];
const AXE = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

// What the validator asks beyond HTML's own rules, and we do not follow.
const validator = new HtmlValidate({
  extends: ["html-validate:recommended"],
  rules: {
    // Maud writes `<br>` as HTML does; the rule wants one style of void elements, and that is it.
    "void-style": ["error", { style: "omit" }],
    // A button in a form is a submit button by HTML's own default, and says so by where it stands.
    "no-implicit-button-type": "off",
    // What maud writes is one line; blanks at its end are in texts that people typed.
    "no-trailing-whitespace": "off",
    // The list of people in a table that CSS draws as cards needs its roles said again: `display` takes them away.
    "no-redundant-role": "off",
    // Rows are `role="row"` for the same reason, which the rule would have as plain `tr`.
    "prefer-native-element": "off",
    // A long title is cut by the browser's tab, which is where a page of a long name ends.
    "long-title": "off",
    // Autofocus stands where there is one thing to do: the sign-in, a dialog, the first field that was refused.
    "no-autofocus": "off",
    // A list may be named: the rules of a password are one, and say so to those who do not see them.
    "aria-label-misuse": ["error", { allowAnyNamable: true }],
    // Ticks of one list have one name: what is sent is which of them are ticked.
    "form-dup-name": ["error", { shared: ["radio", "checkbox", "submit", "button"] }],
    // A label that stands around its field may name it too; some readers want the one, some the other.
    "no-redundant-for": "off",
    // Telephone numbers are what people typed; they break where the line does.
    "tel-non-breaking": "off",
  },
});

const faults = [];
const seen = [];
const fault = (where, what) => {
  faults.push(`${where}: ${what}`);
  console.log(`  ! ${where}: ${what}`);
};

// ---- The route table.

const table = readFileSync("src/routes.rs", "utf8");
const patterns = [...new Set([...table.slice(table.indexOf("fn name(&self)")).matchAll(/=> "(\/[^"]*)"/g)].map((m) => m[1]))];
const matchers = patterns.map((name) => [name, new RegExp(`^${name.replace(/[.]/g, "\\.").replace(/\{\w+\}/g, "[^/.]+")}$`)]);
const patternOf = (path) => matchers.find(([name, regex]) => name === path || regex.test(path))?.[0];

// ---- The browser.

const browser = await chromium.launch({ executablePath: CHROME_PATH, args: ["--no-sandbox", "--force-color-profile=srgb"] });

async function visitor(email, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15000);
  page.on("request", (request) => {
    if (!/^(data|blob|about):/.test(request.url()) && !request.url().startsWith(LOOK_ADDRESS)) fault(page.url(), `asked ${request.url()}`);
  });
  page.on("console", (message) => {
    if (message.type() === "error" && !/status of (4\d\d|503)/.test(message.text())) fault(page.url(), `console: ${message.text()}`);
  });
  if (email) await signIn(page, email);
  return page;
}

async function signIn(page, email) {
  await page.goto(`${LOOK_ADDRESS}/sign-in`);
  await page.fill("[name=email]", email);
  await page.fill("[name=password]", PASSWORD);
  await Promise.all([page.waitForURL((url) => !url.pathname.startsWith("/sign-in")), page.press("[name=password]", "Enter")]);
}

const fileOf = (name) => name.replace(/[^a-z0-9]+/gi, "-").replace(/^-|-$/g, "") || "dashboard";
const picture = (page, name, suffix) =>
  page.screenshot({ path: join(LOOK_OUT, `${fileOf(name)}.${suffix}.png`), fullPage: true, animations: "disabled" });

// Frames are left alone: the one there is holds a mail, whose own policy lets no script in.
async function axe(page, where) {
  await page.evaluate(AXE_SOURCE);
  const { violations } = await page.evaluate((tags) => globalThis.axe.run(document, { runOnly: tags, iframes: false, resultTypes: ["violations"] }), AXE);
  for (const one of violations) fault(where, `axe ${one.id}: ${one.nodes.map((node) => node.target.join(" ")).join(", ")}`);
}

async function widths(page, where) {
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 844 });
    const needed = await page.evaluate(() => document.documentElement.scrollWidth);
    if (needed > width) fault(where, `${needed} wide in ${width}`);
  }
  await page.setViewportSize({ width: 1280, height: 800 });
}

// What of the page may not be seen on paper, and is.
const ON_PAPER = () => {
  const shown = [...document.querySelectorAll("nav, .side, .topbar, .btn, .menu, .toolbar, .pager a, .skip, .toasts")];
  return shown.filter((one) => one.checkVisibility() && one.getBoundingClientRect().height > 1).map((one) => one.className || one.localName);
};
// What is selected and would not be told from the rest without its colour.
const UNMARKED = () =>
  [...document.querySelectorAll("[aria-current], [aria-pressed=true]")]
    .filter((one) => one.checkVisibility() && one.localName !== "th" && one.localName !== "li")
    .filter((one) => !getComputedStyle(one).textDecorationLine.includes("underline"))
    .map((one) => one.textContent.trim());
const RINGLESS = () => {
  const one = document.activeElement;
  const style = getComputedStyle(one);
  return one !== document.body && (style.outlineStyle === "none" || style.outlineWidth === "0px") ? one.outerHTML.slice(0, 90) : null;
};
const CUT = () =>
  [...document.querySelectorAll("main :is(td, th, p, dd, dt, h1, h2, h3, li, label, .btn)")]
    .filter((one) => one.checkVisibility() && !one.matches(".vh, .clip, .scroll *") && !one.closest(".vh, .clip, .scroll"))
    .filter((one) => one.scrollWidth > one.clientWidth + 2 && getComputedStyle(one).overflowX !== "visible" && one.clientWidth > 0)
    .map((one) => one.textContent.trim().slice(0, 40));

// All of it, of the page as it is.
async function look(page, name, full) {
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.emulateMedia({ colorScheme: "light" });
  await axe(page, `${name}, light`);
  await picture(page, name, "1280-light");
  await widths(page, name);
  for (const text of await page.evaluate(CUT)) fault(name, `cut: ${text}`);
  if (!full) return;
  await page.emulateMedia({ colorScheme: "dark" });
  await picture(page, name, "1280-dark");
  await page.setViewportSize({ width: 390, height: 844 });
  await axe(page, `${name}, dark, 390`);
  await picture(page, name, "390-dark");
  await page.emulateMedia({ colorScheme: "light" });
  await picture(page, name, "390-light");
  // 1280 × 1024 at 400 %.
  await page.setViewportSize({ width: 320, height: 256 });
  if ((await page.evaluate(() => document.documentElement.scrollWidth)) > 320) fault(name, "scrolls sideways at 400 %");
  await picture(page, name, "zoom-400");
  await page.setViewportSize({ width: 1280, height: 800 });

  await page.emulateMedia({ forcedColors: "active", colorScheme: "dark" });
  for (const text of await page.evaluate(UNMARKED)) fault(name, `selected, and not told in forced colours: ${text}`);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  const ringless = await page.evaluate(RINGLESS);
  if (ringless) fault(name, `no ring in forced colours: ${ringless}`);
  await picture(page, name, "forced");
  await page.emulateMedia({ forcedColors: "none", colorScheme: "light", reducedMotion: "reduce" });
  if (await page.evaluate(() => document.getAnimations().some((one) => one.playState === "running"))) fault(name, "moves, though asked not to");
  await page.emulateMedia({ reducedMotion: "no-preference", media: "print" });
  for (const what of await page.evaluate(ON_PAPER)) fault(name, `on paper: ${what}`);
  await page.emulateMedia({ media: null });
  const pdf = join(LOOK_OUT, `${fileOf(name)}.pdf`);
  writeFileSync(pdf, await page.pdf({ format: "A4", preferCSSPageSize: true, printBackground: false }));
  execFileSync("pdftoppm", ["-r", "60", "-png", "-l", "3", pdf, join(LOOK_OUT, `${fileOf(name)}.paper`)]);
}

async function validate(name, html) {
  const report = await validator.validateString(html, `${name}.html`);
  for (const result of report.results)
    for (const one of result.messages) fault(name, `html-validate ${one.ruleId}: ${one.message} (${one.selector ?? ""})`);
}

// ---- The walk: every pattern of the route table that this role reaches, by seeds and links.

async function walk(role, email, full) {
  const page = await visitor(email);
  const queue = patterns.filter((name) => !name.includes("{")).concat(["/nothing-here", "/iam/accounts?q=nobody-like-that", "/mail?state=failed"]);
  queue.push("/iam/accounts/acc_bbbbbbbbbbbbb", "/help/add-a-sub-account", "/iam/roles/admin", "/activate/nothing", "/reset-password/nothing");
  const visited = new Map();
  const forms = [];
  while (queue.length) {
    const path = queue.shift();
    if (/^\/(sign-out|theme|metrics|healthz|readyz|assets)/.test(path)) continue;
    const bare = path.split("?")[0];
    // The topics of the help are all looked at; of anything else that has an id, one is enough.
    const key = path.includes("?") || bare.startsWith("/help/") ? path : (patternOf(bare) ?? path);
    if (visited.has(key)) continue;
    visited.set(key, path);
    let response;
    try {
      response = await page.goto(LOOK_ADDRESS + path);
    } catch {
      continue; // a file that is saved, not shown
    }
    const status = response.status();
    if (!(response.headers()["content-type"] ?? "").startsWith("text/html") || status === 405) continue;
    const landed = new URL(page.url());
    if (email && landed.pathname.startsWith("/sign-in")) fault(path, "led to the sign-in page");
    if (landed.pathname !== bare) continue;
    const name = `${role} ${key}`;
    console.log(`${status} ${name}`);
    seen.push(`${status} ${name}`);
    await validate(name, await response.text());
    await look(page, name, full || status >= 400);
    const links = await page.$$eval("a[href]", (all) => all.map((one) => one.getAttribute("href")));
    for (const href of links) if (href.startsWith("/") && !href.includes("?")) queue.push(href.split("#")[0]);
    const wrong = await page.$$eval("form[method=post]", (all) =>
      all.map((form, at) => [at, !!form.querySelector("input:is([type=text],[type=email],[type=tel],[type=password],:not([type])):not([readonly])")]),
    );
    for (const [at, is] of wrong) if (is && status === 200) forms.push([path, at, name]);
  }
  // Each form with fields, wrongly filled in.
  for (const [path, at, name] of full ? forms : []) {
    await page.goto(LOOK_ADDRESS + path);
    const form = page.locator("form[method=post]").nth(at);
    if (!(await form.count())) continue;
    await form.evaluate((one) => {
      for (const input of one.querySelectorAll("input:not([type=hidden], [type=checkbox], [type=radio]), textarea")) input.value = "-";
      one.noValidate = true;
      for (const details of document.querySelectorAll("details:has(form)")) details.open = true;
    });
    const [response] = await Promise.all([page.waitForNavigation(), form.evaluate((one) => one.submit())]);
    if (response?.status() !== 422) continue;
    const wrong = `${name} wrong ${at}`;
    console.log(`422 ${wrong}`);
    seen.push(`422 ${wrong}`);
    await validate(wrong, await response.text());
    if (!(await page.title()).startsWith("Error: ")) fault(wrong, "the title does not say that there is an error");
    await look(page, wrong, false);
  }
  await page.context().close();
  return visited;
}

// ---- Long names, in every column.

const LONG = "W".repeat(100);
const RIGHT_TO_LEFT = "محمد بن عبد الرحمن الفاسي المراكشي الأندلسي";
const PICTURES = "🙂🚪🔑".repeat(16) + " Zoë";

async function rename(email, name) {
  const page = await visitor(email);
  await page.goto(`${LOOK_ADDRESS}/account`);
  await page.fill("#profile [name=name]", name);
  await Promise.all([page.waitForNavigation(), page.click("#profile form button:has-text('Save profile')")]);
  await page.context().close();
}

async function names() {
  const page = await visitor(PEOPLE.master);
  const send = async (path, fields, button) => {
    await page.goto(LOOK_ADDRESS + path);
    for (const [field, value] of fields) await page.fill(`main [name=${field}] >> nth=0`, value);
    await Promise.all([page.waitForNavigation(), page.click(`main button:has-text('${button}') >> nth=0`)]);
  };
  await send("/settings", [["organisation", LONG]], "Save");
  await send("/iam/accounts/new", [["email", `${"w".repeat(60)}@${"x".repeat(60)}.${"y".repeat(60)}.example`]], "Confirm");
  await page.goto(`${LOOK_ADDRESS}/resources`);
  const resource = await page.$$eval("tbody a", (all) => all.map((one) => one.getAttribute("href")).find((href) => /res_/.test(href)));
  await send(`${resource}/edit`, [["name", "R".repeat(100)], ["note", "n".repeat(900)]], "Save");
  await rename(PEOPLE.member, RIGHT_TO_LEFT);
  await rename(PEOPLE.billing, PICTURES);
  await rename(PEOPLE.admin, "A".repeat(49) + " " + "B".repeat(50));
  await rename(PEOPLE.master, "M".repeat(100));
  for (const path of ["/", "/iam/accounts", "/iam/accounts?sort=name", "/iam/roles/master", "/iam/roles/member", "/resources", resource, "/billing", "/mail", "/settings", "/account", "/audit"]) {
    const response = await page.goto(LOOK_ADDRESS + path);
    if (response.status() === 404) continue;
    const name = `names ${path.replace(/res_\w+/, "res")}`;
    console.log(name);
    seen.push(name);
    await validate(name, await response.text());
    await look(page, name, true);
  }
  await page.context().close();
}

// ---- Lighthouse, as the Master.

async function lighthouse() {
  const run = (await import(pathToFileURL(require.resolve("lighthouse")))).default;
  const port = 19431;
  const home = mkdtempSync(join(tmpdir(), "look-"));
  const context = await chromium.launchPersistentContext(home, { executablePath: CHROME_PATH, args: ["--no-sandbox", `--remote-debugging-port=${port}`] });
  const page = await context.newPage();
  const scores = [];
  const score = async (name, path, again = true) => {
    const { lhr } = await run(LOOK_ADDRESS + path, { port, logLevel: "error", output: "json", disableStorageReset: true, onlyCategories: ["accessibility", "best-practices", "performance"], formFactor: "desktop", screenEmulation: { disabled: true }, throttlingMethod: "provided" });
    // A busy machine may paint too late to be judged at all.
    if (lhr.runtimeError && again) return score(name, path, false);
    if (lhr.runtimeError) fault(`lighthouse ${name}`, lhr.runtimeError.message);
    const of = (category) => Math.round((lhr.categories[category].score ?? 0) * 100);
    const line = `${name.padEnd(16)} accessibility ${of("accessibility")}, best practices ${of("best-practices")}, performance ${of("performance")}`;
    console.log(line);
    scores.push(line);
    for (const category of ["accessibility", "best-practices"])
      for (const { id } of lhr.categories[category].auditRefs) {
        const audit = lhr.audits[id];
        if (audit.score !== null && audit.score < 1 && !["informative", "notApplicable", "manual"].includes(audit.scoreDisplayMode)) fault(`lighthouse ${name}`, `${id}: ${audit.title}`);
      }
  };
  await score("sign-in", "/sign-in");
  await signIn(page, PEOPLE.master);
  const first = async (path, match) => {
    await page.goto(LOOK_ADDRESS + path);
    return page.$$eval("main a", (all, match) => all.map((one) => one.getAttribute("href")).find((href) => new RegExp(match).test(href)), match);
  };
  const [account, resource, invoice, mail] = [
    await first("/iam/accounts", "accounts/acc_\\w+$"),
    await first("/resources", "resources/res_\\w+$"),
    await first("/billing", "invoices/INV-[\\d-]+$"),
    await first("/mail", "mail/mail_\\w+$"),
  ];
  for (const [name, path] of [
    ["dashboard", "/"], ["accounts", "/iam/accounts"], ["account", account], ["create", "/iam/accounts/new"], ["import", "/iam/import"],
    ["roles", "/iam/roles"], ["role", "/iam/roles/admin"], ["resources", "/resources"], ["resource", resource], ["billing", "/billing"],
    ["invoice", invoice], ["audit", "/audit"], ["mail", "/mail"], ["message", mail], ["settings", "/settings"], ["own account", "/account"],
    ["two-factor", "/account/two-factor"], ["help", "/help/sub-account-permissions"],
  ]) {
    if (!path) continue;
    const response = await page.goto(LOOK_ADDRESS + path);
    if (response.status() === 200) await score(name, path);
  }
  await context.close();
  return scores;
}

mkdirSync(LOOK_OUT, { recursive: true });
const wanted = (part) => !LOOK_ONLY || LOOK_ONLY === part;
let scores = [];
const reached = new Set();
if (wanted("walk")) {
  for (const [role, email, full] of [["stranger", null, true], ["master", PEOPLE.master, true], ["admin", PEOPLE.admin, false], ["billing", PEOPLE.billing, false], ["member", PEOPLE.member, false]])
    for (const key of (await walk(role, email, full)).keys()) reached.add(key.startsWith("/help/") ? "/help/{topic}" : key);
}
if (wanted("lighthouse")) scores = await lighthouse();
if (wanted("names")) await names();
await browser.close();

const unreached = wanted("walk") ? patterns.filter((name) => !reached.has(name)) : [];
const summary = [
  `${seen.length} pages and states looked at`, ...seen, "",
  "Lighthouse", ...scores, "",
  "Addresses that no link leads to (deeds, links of mails, and what is asked for by programs)", ...unreached, "",
  `${faults.length} faults`, ...faults, "",
].join("\n");
writeFileSync(join(LOOK_OUT, "summary.txt"), summary);
console.log(`${seen.length} pages and states, ${faults.length} faults; see ${join(LOOK_OUT, "summary.txt")}`);
process.exit(faults.length ? 1 : 0);
