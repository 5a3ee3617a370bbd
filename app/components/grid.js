// A grid of thumbnails over any number of images: only what is seen is in the page, only what is seen is asked for.
// One module for Streamlit (Components v2: the default export is called with the component) and Jupyter (anywidget: it is called with nothing).

const CSS = `
.wg { --ink: var(--st-text-color, var(--jp-ui-font-color1, #1B2328)); --paper: var(--st-background-color, var(--jp-layout-color0, #FCFCFB));
  --soft: var(--st-secondary-background-color, var(--jp-layout-color2, #F2F4F4)); --line: var(--st-border-color, var(--jp-border-color2, #E1E6E8));
  --accent: var(--st-primary-color, #0B6E75); --muted: color-mix(in srgb, var(--ink) 66%, transparent);
  position: relative; font-family: var(--st-font, Inter, system-ui, sans-serif); font-size: 13px; line-height: 1.35; color: var(--ink);
  font-variant-numeric: tabular-nums; }
.wg * { box-sizing: border-box; }
.wg-bar { display: flex; align-items: center; gap: 8px; min-height: 30px; margin-bottom: 8px; }
.wg-bar .wg-count { flex: 1; color: var(--muted); }
.wg-bar label { color: var(--muted); }
.wg-bar select, .wg-bar button { font: inherit; color: var(--ink); background: var(--paper); border: 1px solid var(--line); border-radius: 5px;
  padding: 3px 8px; min-height: 28px; cursor: pointer; max-width: 190px; }
.wg-bar button:disabled { opacity: .45; cursor: default; }
.wg-bar select:focus-visible, .wg-bar button:focus-visible, .wg-scroll:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.wg-scroll { position: relative; overflow-y: auto; overflow-x: hidden; border-radius: 5px; scrollbar-width: thin;
  scrollbar-gutter: stable; }
.wg-room { position: relative; width: 100%; }
.wg-cell { position: absolute; cursor: pointer; border-radius: 5px; }
.wg-film { position: relative; width: 100%; aspect-ratio: 1; border-radius: 4px; background-color: var(--soft); background-repeat: no-repeat;
  display: flex; align-items: center; justify-content: center; text-align: center; color: var(--muted); font-size: 12px; padding: 8px; }
.wg-film.wg-why { border: 1px dashed color-mix(in srgb, var(--ink) 30%, transparent); }
.wg-cell:hover .wg-film { box-shadow: 0 0 0 2px color-mix(in srgb, var(--accent) 45%, transparent); }
.wg-cell.wg-active .wg-film { box-shadow: 0 0 0 2px var(--paper), 0 0 0 4px color-mix(in srgb, var(--accent) 60%, transparent); }
.wg-cell.wg-chosen .wg-film { box-shadow: 0 0 0 3px var(--accent); }
.wg-chips, .wg-facts { height: 20px; margin-top: 3px; overflow: hidden; white-space: nowrap; text-overflow: ellipsis; font-size: 12px; }
.wg-chips span { display: inline-block; max-width: 100%; overflow: hidden; text-overflow: ellipsis; vertical-align: top; padding: 0 6px; margin-right: 4px;
  height: 19px; line-height: 19px; border-radius: 9px; background: color-mix(in srgb, var(--accent) 14%, transparent); }
.wg-facts { color: var(--muted); margin-top: 1px; }
.wg-facts b { font-weight: 500; color: var(--ink); }
.wg-large { position: absolute; z-index: 5; width: 274px; padding: 8px; pointer-events: none; border-radius: 6px; background: var(--paper);
  border: 1px solid var(--line); box-shadow: 0 6px 22px rgba(0, 0, 0, .22); }
.wg-large[hidden] { display: none; }
.wg-large .wg-chips { height: auto; white-space: normal; margin-top: 6px; }
.wg-large .wg-chips span { margin-bottom: 3px; }
.wg-large .wg-facts { height: auto; white-space: normal; }
.wg-key { font-family: var(--st-code-font, "JetBrains Mono", monospace); font-size: 11.5px; overflow-wrap: anywhere; margin-top: 6px; }
.wg-hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
`;
const LEAST = 112, GAP = 10, UNDER = 10; // pixels: the narrowest cell, between cells, under a row
const TALLEST = 8e6; // pixels a browser scrolls without trouble; beyond, scrolling covers more than it moves
const REST = 90, LONGEST = 6000, AGAIN = 150; // ms: after the last scroll, for an answer, until what was pending is asked for again
const KEPT = 1500; // cells whose contents are kept
let grids = 0;

const thin = (number) => String(number).replace(/\B(?=(\d{3})+(?!\d))/g, "\u2009");
const wide = (word) => 7 * String(word).length + 16; // pixels of a chip, about
const make = (kind, name, parent) => {
  const made = document.createElement(kind);
  if (name) made.className = name;
  parent?.append(made);
  return made;
};

class Grid {
  constructor(parent, ask, pick) {
    Object.assign(this, { ask, pick, id: `wg${++grids}`, told: null, cells: new Map(), drawn: new Map(), urls: new Map(), active: 0, sent: 0, turn: 0 });
    this.wish = { sort: null, descending: false };
    make("style", "", parent).textContent = CSS;
    this.root = make("div", "wg", parent);
    const bar = make("div", "wg-bar", this.root);
    this.count = make("span", "wg-count", bar);
    this.count.setAttribute("role", "status");
    const label = make("label", "", bar);
    label.textContent = "Sort by";
    this.select = make("select", "", bar);
    label.htmlFor = this.select.id = `${this.id}-sort`;
    this.turned = make("button", "", bar);
    this.turned.type = "button";
    this.scroll = make("div", "wg-scroll", this.root);
    this.scroll.tabIndex = 0;
    this.scroll.setAttribute("role", "listbox");
    this.room = make("div", "wg-room", this.scroll);
    this.room.setAttribute("role", "presentation");
    const help = make("p", "wg-hidden", this.root);
    help.id = `${this.id}-help`;
    help.textContent = "Arrow keys move, Enter chooses an image, Home and End go to the first and the last.";
    this.scroll.setAttribute("aria-describedby", help.id);
    this.large = make("div", "wg-large", this.root);
    this.large.hidden = true;
    this.large.setAttribute("aria-hidden", "true");
    this.select.onchange = () => this.sort(this.select.value || null, false);
    this.turned.onclick = () => this.sort(this.wish.sort, !this.wish.descending);
    this.scroll.onscroll = () => { this.shrink(); this.draw(); this.soon(REST); };
    this.scroll.onkeydown = (event) => this.key(event);
    this.scroll.onfocus = () => this.mark();
    this.scroll.onblur = () => { this.mark(); this.shrink(); };
    this.room.onclick = (event) => { const row = this.rowOf(event); if (row !== null) { this.active = row; this.choose(row); } };
    this.room.onpointerover = (event) => { if (event.pointerType !== "touch") this.hover(this.rowOf(event)); };
    this.room.onpointerleave = () => this.shrink();
    this.watch = new ResizeObserver(() => this.measure());
    this.watch.observe(this.scroll);
  }

  // ---- what comes from the server
  take(bytes) {
    const view = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes.buffer ?? bytes, bytes.byteOffset ?? 0, bytes.byteLength);
    if (view.length < 4 || view === this.last) return;
    this.last = view;
    const length = new DataView(view.buffer, view.byteOffset, 4).getUint32(0, true);
    const told = JSON.parse(new TextDecoder().decode(view.subarray(4, 4 + length)));
    const before = this.told, other = !before || before.token !== told.token || before.sort !== told.sort || before.descending !== told.descending;
    this.told = told;
    this.sent = 0;
    const fresh = !before || before.token !== told.token;
    if (other) this.begin(told, fresh);
    const image = view.subarray(4 + length);
    const url = image.length ? URL.createObjectURL(new Blob([image], { type: "image/jpeg" })) : null;
    if (url) this.urls.set(url, told.cells.length);
    const down = Math.ceil(told.cells.length / told.across);
    told.cells.forEach((cell, place) => {
      this.forget(told.first + place);
      this.cells.set(told.first + place, { ...cell, url, x: place % told.across, y: Math.floor(place / told.across), across: told.across, down });
    });
    this.prune();
    this.chosen = told.chosen;
    this.count.textContent = told.label || (told.n === 1 ? "1 image" : `${thin(told.n)} images`);
    this.scroll.setAttribute("aria-label", this.count.textContent);
    const show = () => { this.measure(); if (fresh && told.row >= 0) this.reveal(told.row); this.draw(); this.soon(this.pending() ? AGAIN : 0); };
    if (!url) return show();
    const film = new Image();
    film.src = url;
    film.decode().then(show, show);
  }

  begin(told, fresh) { // another selection or order
    [...this.cells.keys()].forEach((row) => this.forget(row));
    this.drawn.forEach((cell) => cell.remove());
    this.drawn.clear();
    this.wish = { sort: told.sort, descending: told.descending };
    this.active = fresh ? Math.max(0, told.row) : 0;
    this.scroll.scrollTop = 0;
    const options = [["", "as listed"], ...told.columns.map((name) => [name, name])];
    this.select.replaceChildren(...options.map(([value, text]) => Object.assign(document.createElement("option"), { value, textContent: text })));
    this.order();
  }

  order() {
    this.select.value = this.wish.sort ?? "";
    this.turned.disabled = this.wish.sort === null;
    this.turned.textContent = this.wish.descending ? "↓" : "↑";
    const way = this.wish.descending ? "largest first" : "smallest first";
    this.turned.title = this.wish.sort === null ? "Choose a column to sort by" : `Now ${way}; turn round`;
    this.turned.setAttribute("aria-label", this.turned.title);
  }

  forget(row) {
    const held = this.cells.get(row);
    if (!held) return;
    this.cells.delete(row);
    if (!held.url) return;
    const left = this.urls.get(held.url) - 1;
    if (left) this.urls.set(held.url, left);
    else { this.urls.delete(held.url); URL.revokeObjectURL(held.url); }
  }

  prune() {
    if (this.cells.size <= KEPT || !this.across) return;
    const [from, to] = this.visible();
    const far = [...this.cells.keys()].filter((row) => row < from || row >= to).sort((a, b) => Math.abs(b - from) - Math.abs(a - from));
    far.slice(0, this.cells.size - KEPT).forEach((row) => this.forget(row));
  }

  // ---- where things are
  measure() {
    const width = this.scroll.clientWidth;
    if (!width || !this.told) return;
    const first = this.across ? this.visible()[0] : 0, across = this.across;
    this.across = Math.max(1, Math.floor((width - 8 + GAP) / (LEAST + GAP)));
    this.side = (width - 8 - GAP * (this.across - 1)) / this.across;
    const [chips, facts] = this.told.lines;
    this.high = this.side + UNDER + (chips ? 23 : 0) + (facts ? 21 : 0);
    this.total = Math.ceil(this.told.n / this.across) * this.high + 8;
    this.room.style.height = `${Math.min(this.total, TALLEST)}px`;
    this.scroll.style.height = `${Math.min(this.total, this.told.height || 560)}px`; // no taller than what there is to see
    if (across && across !== this.across) this.scroll.scrollTop = this.bar(Math.floor(first / this.across) * this.high);
    this.draw();
    this.soon(REST);
  }

  stretch() { // of what scrolling covers to what it moves
    const seen = this.scroll.clientHeight;
    return this.total > TALLEST ? (this.total - seen) / (TALLEST - seen) : 1;
  }

  top() { return this.scroll.scrollTop * this.stretch(); }
  bar(top) { return top / this.stretch(); }

  visible() { // first cell and the one after the last
    const top = Math.floor(this.top() / this.high), bottom = Math.ceil((this.top() + this.scroll.clientHeight) / this.high);
    return [Math.max(0, top) * this.across, Math.min(this.told.n, bottom * this.across)];
  }

  reveal(row) {
    const y = Math.floor(row / this.across) * this.high, top = this.top(), seen = this.scroll.clientHeight;
    if (y < top) this.scroll.scrollTop = this.bar(y);
    else if (y + this.high > top + seen) this.scroll.scrollTop = this.bar(y + this.high - seen + 4);
  }

  // ---- what is asked for
  pending() {
    if (!this.across) return false;
    const [from, to] = this.visible();
    for (let row = from; row < to; row++) if (this.cells.get(row)?.why === "pending") return true;
    return false;
  }

  soon(wait) { clearTimeout(this.timer); this.timer = setTimeout(() => this.want(), wait); }

  want() {
    if (!this.told?.n || !this.across) return;
    if (this.sent && performance.now() - this.sent < LONGEST) return this.soon(REST); // one question at a time
    const [from, to] = this.visible();
    const lacks = (row) => !this.cells.has(row) || this.cells.get(row).why === "pending";
    let first = from, last = to - 1;
    while (first < to && !lacks(first)) first++;
    while (last >= first && !lacks(last)) last--;
    if (first > last) return;
    const page = to - from; // what lacks, and a little further where the reader comes to next
    if (first > from && last === to - 1) last = Math.min(this.told.n - 1, last + Math.ceil(page / 2));
    else if (first === from && last < to - 1) first = Math.max(0, first - Math.ceil(page / 2));
    this.send({ first, count: last - first + 1, ...this.wish });
  }

  send(wish) { this.sent = performance.now(); this.ask({ ...wish, of: this.told.token, turn: ++this.turn }); this.soon(LONGEST); }

  sort(column, descending) {
    this.wish = { sort: column, descending: column !== null && descending };
    this.order();
    this.send({ first: 0, count: Math.max(24, this.visible()[1] - this.visible()[0]), ...this.wish });
  }

  // ---- what is drawn
  draw() {
    if (!this.told || !this.across) return;
    const [from, to] = this.visible(), early = Math.max(0, from - this.across), late = Math.min(this.told.n, to + this.across);
    for (const [row, cell] of this.drawn) if (row < early || row >= late) { cell.remove(); this.drawn.delete(row); }
    const shift = this.scroll.scrollTop - this.top();
    for (let row = early; row < late; row++) {
      let cell = this.drawn.get(row);
      if (!cell) { cell = this.empty(row); this.drawn.set(row, cell); }
      cell.style.width = `${this.side}px`;
      cell.style.transform = `translate(${4 + (row % this.across) * (this.side + GAP)}px, ${4 + Math.floor(row / this.across) * this.high + shift}px)`;
      const held = this.cells.get(row);
      if (held && cell.held !== held) this.fill(cell, held, row);
    }
    this.mark();
  }

  empty(row) {
    const cell = make("div", "wg-cell", this.room);
    cell.id = `${this.id}-${row}`;
    cell.dataset.row = row;
    cell.setAttribute("role", "option");
    cell.setAttribute("aria-posinset", row + 1);
    cell.setAttribute("aria-setsize", this.told.n);
    cell.setAttribute("aria-label", "loading");
    make("div", "wg-film", cell);
    return cell;
  }

  fill(cell, held, row) {
    cell.held = held;
    cell.replaceChildren();
    this.film(cell, held);
    const [chips, facts] = this.told.lines;
    if (chips) this.chips(cell, held, this.side - 26);
    if (facts) this.facts(cell, held, false);
    const words = [held.key, held.chips.join(", "), ...held.facts.map((fact) => fact.join(" ")), held.why];
    cell.setAttribute("aria-label", words.filter(Boolean).join("; "));
  }

  film(parent, held) {
    const film = make("div", "wg-film", parent);
    const words = held.why === "pending" ? "" : held.why;
    film.classList.toggle("wg-why", Boolean(words));
    film.textContent = words;
    if (held.why || !held.url) return;
    film.style.backgroundImage = `url(${held.url})`;
    film.style.backgroundSize = `${held.across * 100}% ${held.down * 100}%`;
    const share = (at, of) => (of > 1 ? (at / (of - 1)) * 100 : 0);
    film.style.backgroundPosition = `${share(held.x, held.across)}% ${share(held.y, held.down)}%`;
  }

  chips(parent, held, room) { // the first, and as many more as there is room for
    const line = make("div", "wg-chips", parent), words = held.chips;
    let shown = 0;
    for (let used = 0; shown < words.length && (!shown || used + wide(words[shown]) <= room); shown++) {
      used += wide(words[shown]);
      make("span", "", line).textContent = words[shown];
    }
    if (shown < words.length) line.append(`+${words.length - shown}`);
    if (shown < words.length && shown === 1) line.firstChild.style.maxWidth = `${room}px`;
  }

  facts(parent, held, whole) {
    const line = make("div", "wg-facts", parent);
    held.facts.forEach(([name, value], place) => {
      if (place) line.append(" · ");
      if (whole || /^[-\u2009.\d]+$/.test(value)) line.append(`${name} `); // a number says nothing without its name
      make("b", "", line).textContent = value;
    });
  }

  mark() {
    const root = this.root.getRootNode(), focused = (root.activeElement ?? document.activeElement) === this.scroll && this.scroll.matches(":focus-visible");
    for (const [row, cell] of this.drawn) {
      cell.classList.toggle("wg-active", focused && row === this.active);
      const chosen = this.cells.get(row)?.at === this.chosen && this.chosen >= 0;
      cell.classList.toggle("wg-chosen", chosen);
      cell.setAttribute("aria-selected", String(chosen));
    }
    if (this.drawn.has(this.active)) this.scroll.setAttribute("aria-activedescendant", `${this.id}-${this.active}`);
    else this.scroll.removeAttribute("aria-activedescendant");
  }

  // ---- what the reader does
  rowOf(event) { const cell = event.target.closest?.(".wg-cell"); return cell ? Number(cell.dataset.row) : null; }

  choose(row) {
    const held = this.cells.get(row);
    if (!held) return;
    this.chosen = held.at;
    this.mark();
    this.pick({ at: held.at, of: this.told.token, turn: ++this.turn });
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.across) return;
    const page = Math.max(1, Math.floor(this.scroll.clientHeight / this.high)) * this.across;
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.across, ArrowDown: this.across, PageUp: -page, PageDown: page,
      Home: -Infinity, End: Infinity }; // prettier-ignore
    if (event.key === "Enter" || event.key === " ") this.choose(this.active);
    else if (event.key in steps) {
      this.active = Math.min(this.told.n - 1, Math.max(0, this.active + steps[event.key]));
      this.shrink();
      this.reveal(this.active);
      this.draw();
    } else if (event.key === "Escape") this.shrink();
    else return;
    event.preventDefault();
    event.stopPropagation(); // left and right mean something else to the page
  }

  hover(row) {
    clearTimeout(this.waits);
    if (row === null || !this.cells.has(row)) return this.shrink();
    this.waits = setTimeout(() => this.enlarge(row), this.large.hidden ? 260 : 60);
  }

  enlarge(row) {
    const held = this.cells.get(row), cell = this.drawn.get(row);
    if (!held || !cell) return;
    this.large.replaceChildren();
    this.film(this.large, held);
    if (held.chips.length) this.chips(this.large, held, Infinity);
    if (held.facts.length) this.facts(this.large, held, true);
    make("div", "wg-key", this.large).textContent = held.key;
    this.large.hidden = false;
    const box = this.root.getBoundingClientRect(), own = cell.getBoundingClientRect(), size = this.large.getBoundingClientRect();
    const right = own.right - box.left + 8, left = own.left - box.left - size.width - 8;
    this.large.style.left = `${right + size.width <= box.width ? right : Math.max(0, left)}px`;
    this.large.style.top = `${Math.max(0, Math.min(own.top - box.top, box.height - size.height))}px`;
  }

  shrink() { clearTimeout(this.waits); this.large.hidden = true; }

  destroy() {
    clearTimeout(this.timer);
    this.shrink();
    this.watch.disconnect();
    this.urls.forEach((_, url) => URL.revokeObjectURL(url));
    this.root.previousSibling?.remove();
    this.root.remove();
  }
}

const mounted = new WeakMap();

function streamlit({ data, parentElement, setStateValue, setTriggerValue }) {
  let grid = mounted.get(parentElement);
  if (!grid) mounted.set(parentElement, (grid = new Grid(parentElement)));
  grid.ask = (wish) => setStateValue("view", wish);
  grid.pick = (picked) => setTriggerValue("picked", picked);
  if (data) grid.take(data);
  return () => { grid.destroy(); mounted.delete(parentElement); };
}

function render({ model, el }) {
  const put = (name, value) => { model.set(name, value); model.save_changes(); };
  const grid = new Grid(el, (wish) => put("view", wish), (picked) => put("picked", picked));
  const take = () => grid.take(model.get("window"));
  model.on("change:window", take);
  take();
  return () => { model.off("change:window", take); grid.destroy(); };
}

export default function (component) {
  return component ? streamlit(component) : { render };
}
