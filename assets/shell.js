// What signed-in pages have more: dialogs, menus, themes, keys. Only improves, as portal.js does.
const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

// ---- Dialogs: a[data-dialog] leads to a page whose [data-panel] is lifted into a dialog. One with something typed is
// kept, so that it is still there when it is opened again; any other is asked for anew, since what it tells may have
// changed. If anything is odd, the link is simply followed.

const lifted = new Map();

async function lift(href) {
  if (lifted.has(href)) return lifted.get(href);
  const answer = await fetch(href);
  if (!answer.ok || answer.redirected) throw new Error("not the page that was asked for");
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const panel = $("[data-panel]", page);
  if (!panel) throw new Error("no panel on that page");
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-labelledby", panel.getAttribute("aria-labelledby"));
  panel.removeAttribute("aria-labelledby");
  $("h1", panel)?.setAttribute("aria-level", "2");
  dialog.append(document.adoptNode(panel));
  dialog.addEventListener("close", () => {
    dialog.remove();
    const isTyped = (input) => input.value !== input.defaultValue || input.checked !== input.defaultChecked;
    if (!$$("input:not([type=hidden])", dialog).some(isTyped)) lifted.delete(href);
  });
  lifted.set(href, dialog);
  return dialog;
}

async function openDialog(link) {
  const menu = link.closest("details.menu");
  if (menu) shut(menu);
  try {
    const dialog = await lift(link.href);
    if (!dialog.isConnected) document.body.append(dialog);
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0; // read from its head, though what has the focus may stand far below
  } catch {
    location.assign(link.href);
  }
}

// A dialog that came with the page opens as a real one.
for (const dialog of $$("dialog[data-open]")) {
  dialog.close();
  dialog.showModal();
  $("[aria-invalid=true]", dialog)?.focus();
}

// A press on the scrim closes; one on a scroll bar, or one that began inside, does not.
document.addEventListener("mousedown", (event) => {
  if (!event.target.matches("dialog")) return;
  const { left, right, top, bottom } = event.target.getBoundingClientRect();
  const { clientX: x, clientY: y } = event;
  if (x < left || x > right || y < top || y > bottom) event.target.close();
});

// ---- Menus: one open at a time, arrows inside, Escape closes and gives the focus back.

function shut(menu) {
  menu.open = false;
  $("summary", menu).focus();
}
const openMenu = () => $("details.menu[open]");

document.addEventListener("toggle", (event) => {
  if (!event.target.matches("details.menu[open]")) return;
  for (const menu of $$("details.menu[open]")) if (menu !== event.target) menu.open = false;
}, true);

function moveInMenu(menu, event) {
  const lines = $$("a, button", $("div", menu));
  const at = lines.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at > 0 ? at - 1 : -1, Home: 0, End: -1 }[event.key];
  event.preventDefault();
  lines.at(to % lines.length)?.focus();
}

// ---- Theme: at once here, and kept by the server.

async function theme(form, button) {
  const root = document.documentElement;
  if (button.value === "system") delete root.dataset.theme;
  else root.dataset.theme = button.value;
  $("meta[name=color-scheme]").content = root.dataset.theme ?? "light dark";
  for (const other of $$("[data-themes] button")) other.setAttribute("aria-pressed", other.value === button.value);
  const body = new URLSearchParams(new FormData(form, button));
  // Out of reach, the colours hold for this page only.
  await fetch(form.action, { method: "POST", body, redirect: "manual" }).catch(() => {});
}
document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-themes]")) return;
  event.preventDefault();
  theme(event.target, event.submitter);
});

// ---- Clicks and keys.

document.addEventListener("click", (event) => {
  for (const menu of $$("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  const target = event.target.closest("[data-dialog],[data-close],[data-show]");
  if (!target || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  if ("dialog" in target.dataset) {
    event.preventDefault();
    return openDialog(target);
  }
  if ("show" in target.dataset) {
    event.preventDefault();
    return $(target.hash).showModal();
  }
  const dialog = target.closest("dialog");
  if (!dialog) return;
  event.preventDefault();
  dialog.close();
});

let wentG = -Infinity;

function shortcut(event) {
  if (event.key === "/") return $("[data-search]");
  if (event.key === "?") return $("#keys");
  if (event.key === "g") return void (wentG = event.timeStamp);
  const after = event.timeStamp - wentG < 1500;
  const key = CSS.escape(event.key);
  wentG = -Infinity;
  return $(after ? `[data-go="${key}"]` : `[data-key="${key}"]`);
}

document.addEventListener("keydown", (event) => {
  const menu = openMenu();
  if (menu && event.key === "Escape") return shut(menu);
  const top = $("details.topbar[open]");
  if (top && event.key === "Escape" && !$("dialog[open]")) return shut(top);
  if (menu && /^(Arrow(Up|Down)|Home|End)$/.test(event.key)) return moveInMenu(menu, event);
  const typing = event.isComposing || event.target.closest("input, select, textarea, dialog") || $("dialog:modal");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || !$("[data-keys]")) return;
  const found = shortcut(event);
  if (!found) return;
  event.preventDefault();
  if (found.matches("dialog")) return found.showModal();
  found.focus();
  if (found.matches("a")) found.click();
});
