// The map: points to look at, to fly through and to draw a line around. One module for Streamlit (components v2) and Jupyter (anywidget).
// What comes in is written by workbench/cloud.py. What goes out is a polygon or a row, and the box that is looked at where films are asked for.

const SHARED = (globalThis[Symbol.for("workbench.points")] ??= new Map()); // key -> { map, take, aside }: what comes beside the points, perhaps before them, by app/points.py
const TYPES = { f4: Float32Array, u4: Uint32Array, u1: Uint8Array };
const NONE = 255, STEPS = 254;
const SVG_MOST = 20000, CANVAS_MOST = 20000, LINES_MOST = 5000, FILMS_MOST = 96, VERTICES = 200;
const CELL = 3; // CSS pixels of a cell of the density
const CROWDED = 1.1; // dots that would lie on each other on average, from which on density is drawn
const SERIES = { light: ["#C4513A", "#C79A1B", "#1F6FB2", "#3F8F6B", "#7A5BA6", "#6B7780"], dark: ["#E07A62", "#E3BC4A", "#5AA5E0", "#6FBF97", "#A98BD0", "#9AA6AD"] };
const WALK = 700, REST = 350; // milliseconds between two checkpoints, and at one

const STYLE = `
.points { --ink: var(--st-text-color, var(--jp-ui-font-color1, #1B2328)); --paper: var(--st-background-color, var(--jp-layout-color0, #FCFCFB));
  --line: var(--st-border-color, var(--jp-border-color2, #E1E6E8)); --accent: var(--st-primary-color, #0B6E75); --series: var(--st-chart-categorical-colors, none);
  --muted: color-mix(in srgb, var(--ink) 62%, var(--paper)); --tint: color-mix(in srgb, var(--ink) 7%, var(--paper));
  position: relative; color: var(--ink); background: var(--paper); font-family: var(--st-font, Inter, system-ui, sans-serif); font-size: 12.5px; line-height: 1.4; }
.points * { box-sizing: border-box; }
.points .stage { position: relative; overflow: hidden; border: 1px solid var(--line); border-radius: 5px; outline: none; touch-action: none; cursor: grab; user-select: none; }
.points .stage:focus-visible { box-shadow: 0 0 0 2px var(--accent); border-color: var(--accent); }
.points .stage[data-tool=lasso], .points .stage[data-tool=rectangle] { cursor: crosshair; }
.points .stage.dragging { cursor: grabbing; }
.points .stage canvas { position: absolute; inset: 0; width: 100%; height: 100%; pointer-events: none; }
.points .bar { display: flex; flex-wrap: wrap; gap: 3px 10px; align-items: center; margin-bottom: 5px; min-height: 28px; }
.points .bar .group { display: flex; gap: 2px; }
.points button { font: inherit; color: var(--ink); background: none; border: 1px solid transparent; border-radius: 5px; height: 28px; min-width: 28px; padding: 0 5px; cursor: pointer; display: inline-flex; align-items: center; justify-content: center; gap: 5px; }
.points button:hover { background: var(--tint); }
.points button:focus-visible { outline: 2px solid var(--accent); outline-offset: -1px; }
.points button[aria-pressed=true] { background: color-mix(in srgb, var(--accent) 14%, var(--paper)); color: var(--accent); border-color: color-mix(in srgb, var(--accent) 40%, var(--paper)); }
.points button:disabled { opacity: .4; cursor: default; }
.points svg { width: 17px; height: 17px; fill: none; stroke: currentColor; stroke-width: 1.6; stroke-linecap: round; stroke-linejoin: round; }
.points .legend { position: absolute; right: 8px; top: 8px; max-width: 45%; background: color-mix(in srgb, var(--paper) 92%, transparent); border-radius: 5px; padding: 4px 6px; font-size: 12px; color: var(--muted); }
.points .legend b { color: var(--ink); font-weight: 600; display: block; padding: 0 5px 1px; overflow-wrap: anywhere; }
.points .legend button { display: flex; width: 100%; height: 22px; justify-content: flex-start; font-size: 12px; text-align: left; }
.points .legend button span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.points .legend i { width: 9px; height: 9px; border-radius: 50%; flex: none; }
.points .legend .shape { padding: 0 5px; display: flex; gap: 9px; }
.points .legend .ramp { height: 8px; width: 150px; border-radius: 2px; margin: 2px 5px; }
.points .legend .ends { display: flex; justify-content: space-between; padding: 0 5px; font-variant-numeric: tabular-nums; }
.points .axis { position: absolute; color: var(--muted); font-size: 11.5px; pointer-events: none; background: color-mix(in srgb, var(--paper) 70%, transparent); padding: 0 3px; border-radius: 3px; }
.points .axis.x { bottom: 4px; left: 50%; transform: translateX(-50%); white-space: nowrap; }
.points .axis.y { left: 4px; top: 50%; writing-mode: vertical-rl; transform: translateY(-50%) rotate(180deg); white-space: nowrap; }
.points .tip { position: absolute; pointer-events: none; background: var(--paper); border: 1px solid var(--line); border-radius: 5px; padding: 3px 7px; font-size: 12px; max-width: 320px; box-shadow: 0 2px 8px rgb(0 0 0 / .12); z-index: 2; overflow-wrap: anywhere; }
.points .tip code { font-family: var(--st-code-font, "JetBrains Mono", monospace); font-size: 11.5px; display: block; }
.points .tip span { color: var(--muted); }
.points .under { display: flex; flex-wrap: wrap; gap: 2px 18px; align-items: center; padding-top: 5px; color: var(--muted); min-height: 25px; }
.points .under label { display: flex; align-items: center; gap: 7px; color: var(--ink); }
.points .under input[type=range] { width: 150px; accent-color: var(--accent); margin: 0; }
.points .under input:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.points .under output { font-variant-numeric: tabular-nums; }
.points .told { flex: 1 1 240px; font-variant-numeric: tabular-nums; }
.points [hidden] { display: none !important; }
`;
const ICONS = {
  pan: '<path d="M12 3v18M3 12h18M9 6l3-3 3 3M9 18l3 3 3-3M6 9l-3 3 3 3M18 9l3 3-3 3"/>',
  lasso: '<path d="M12 4c5 0 9 2.700 9 6.200S17 16.400 12 16.400 3 13.700 3 10.200 7 4 12 4z"/><path d="M7 15.500c-1.500 1-1.500 3 .3 3.300 1.800.4 1.700 2.200.2 2.700"/>',
  rectangle: '<rect x="4" y="6" width="16" height="12" rx="1" stroke-dasharray="3 2.500"/>',
  closer: '<circle cx="10.500" cy="10.500" r="6.500"/><path d="M15.500 15.500 21 21M7.500 10.500h6M10.500 7.500v6"/>',
  further: '<circle cx="10.500" cy="10.500" r="6.500"/><path d="M15.500 15.500 21 21M7.500 10.500h6"/>',
  whole: '<path d="M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5"/>',
  density: '<path d="M4 4h5v5H4zM9.500 9.500h5v5h-5zM15 15h5v5h-5z" fill="currentColor"/><path d="M4 20 20 4" stroke-dasharray="1 4"/>',
  pairs: '<circle cx="5.500" cy="17" r="2.500"/><path d="m18.500 3.500 3 3-3 3-3-3zM7.500 15.200l8.300-7"/>',
  films: '<rect x="3.500" y="3.500" width="7" height="7"/><rect x="13.500" y="3.500" width="7" height="7"/><rect x="3.500" y="13.500" width="7" height="7"/><rect x="13.500" y="13.500" width="7" height="7"/>',
  play: '<path d="M7 4.500v15l12-7.500z" fill="currentColor"/>',
  pause: '<path d="M8 5v14M16 5v14" stroke-width="3"/>',
};

// ---- bytes and colours -------------------------------------------------------------------------------------------------------------

function unpack(bytes) {
  const whole = new Uint8Array(bytes.buffer ?? bytes, bytes.byteOffset ?? 0, bytes.byteLength);
  const length = new DataView(whole.buffer, whole.byteOffset, 4).getUint32(0, true);
  return { header: JSON.parse(new TextDecoder().decode(whole.subarray(4, 4 + length))), blob: whole.subarray(4 + length) };
}

function arraysOf(header, bytes) {
  const blob = new Uint8Array(bytes.buffer ?? bytes, bytes.byteOffset ?? 0, bytes.byteLength), found = {};
  for (const { name, kind, start, count } of header.arrays) {
    const Kind = TYPES[kind], raw = blob.slice(start, start + count * Kind.BYTES_PER_ELEMENT);
    found[name] = new Kind(raw.buffer);
  }
  return found;
}

const eye = typeof document === "undefined" ? null : document.createElement("canvas").getContext("2d", { willReadFrequently: true });
function rgb(colour) { // any CSS colour as three numbers
  eye.clearRect(0, 0, 1, 1);
  eye.fillStyle = "#888";
  eye.fillStyle = colour;
  eye.fillRect(0, 0, 1, 1);
  return [...eye.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}
const between = (a, b, share) => a.map((x, i) => Math.round(x + (b[i] - x) * share));
const css = (colour, alpha = 1) => `rgb(${colour.join(" ")} / ${alpha})`;
const number = (x) => (x === 0 ? "0" : Math.abs(x) >= 1e4 || Math.abs(x) < 1e-2 ? x.toExponential(1) : String(Number(x.toPrecision(3))));
const thousands = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, "\u2009");

// ---- geometry ----------------------------------------------------------------------------------------------------------------------

/** Fewer corners (x, y in pixels) such that none is missed by more than a pixel or so; never more than VERTICES. */
function simplified(corners) {
  for (let tolerance = 0.7; ; tolerance *= 1.5) {
    const keep = new Uint8Array(corners.length), open = [[0, corners.length - 1]];
    keep[0] = keep[corners.length - 1] = 1;
    while (open.length) {
      const [first, last] = open.pop(), [ax, ay] = corners[first], dx = corners[last][0] - ax, dy = corners[last][1] - ay, length = Math.hypot(dx, dy);
      let most = tolerance, at = -1;
      for (let i = first + 1; i < last; i++) {
        const x = corners[i][0] - ax, y = corners[i][1] - ay, off = length ? Math.abs(x * dy - y * dx) / length : Math.hypot(x, y);
        if (off > most) { most = off; at = i; }
      }
      if (at > 0) { keep[at] = 1; open.push([first, at], [at, last]); }
    }
    const kept = corners.filter((_, i) => keep[i]);
    if (kept.length <= VERTICES) return kept;
  }
}

/** Which points lie inside by the even-odd rule: 1 or 0 each. Edges are sorted into bands, so that a point meets few of them. */
function inside(x, y, n, polygon) {
  const found = new Uint8Array(n), bands = Math.min(512, 8 * polygon.length), edges = Array.from({ length: bands }, () => []);
  const ys = polygon.map((corner) => corner[1]), low = Math.min(...ys), high = Math.max(...ys), left = Math.min(...polygon.map((c) => c[0])), right = Math.max(...polygon.map((c) => c[0]));
  const band = (v) => Math.min(bands - 1, Math.max(0, Math.floor(((v - low) / (high - low || 1)) * bands)));
  polygon.forEach(([ax, ay], i) => {
    const [bx, by] = polygon[(i + 1) % polygon.length];
    for (let b = band(Math.min(ay, by)); b <= band(Math.max(ay, by)); b++) edges[b].push([ax, ay, bx, by]);
  });
  for (let i = 0; i < n; i++) {
    const px = x(i), py = y(i);
    if (px < left || px > right || py < low || py > high) continue;
    let odd = 0;
    for (const [ax, ay, bx, by] of edges[band(py)]) if (ay > py !== by > py && px < ((bx - ax) * (py - ay)) / (by - ay) + ax) odd ^= 1;
    found[i] = odd;
  }
  return found;
}

/** A grid over the points, so that the nearest is found without looking at all. */
class Near {
  constructor(map) {
    const n = map.n, side = Math.max(1, Math.min(1024, Math.ceil(Math.sqrt(n / 4)))), [lx, ly] = map.header.low, [hx, hy] = map.header.high;
    this.map = map;
    this.side = side;
    const cell = (v, low, high) => Math.min(side - 1, Math.max(0, Math.floor(((v - low) / (high - low || 1)) * side)));
    this.column = (v) => cell(v, lx, hx);
    this.row = (v) => cell(v, ly, hy);
    this.starts = new Uint32Array(side * side + 1);
    const of = new Uint32Array(n);
    for (let i = 0; i < n; i++) this.starts[(of[i] = this.row(map.y(i)) * side + this.column(map.x(i))) + 1]++;
    for (let i = 0; i < side * side; i++) this.starts[i + 1] += this.starts[i];
    const next = this.starts.slice();
    this.rows = new Uint32Array(n);
    for (let i = 0; i < n; i++) this.rows[next[of[i]]++] = i;
  }
  within(x0, y0, x1, y1, most) {
    const found = [];
    for (let row = this.row(y0); row <= this.row(y1); row++)
      for (let column = this.column(x0); column <= this.column(x1); column++)
        for (let at = this.starts[row * this.side + column]; at < this.starts[row * this.side + column + 1]; at++) {
          const i = this.rows[at], x = this.map.x(i), y = this.map.y(i);
          if (x >= x0 && x <= x1 && y >= y0 && y <= y1 && found.push(i) > most) return found;
        }
    return found;
  }
}

// ---- WebGL -------------------------------------------------------------------------------------------------------------------------

const VERTEX = `#version 300 es
in vec2 from; in vec2 to; in float code; in float chosen; in float tower;
uniform vec2 scale, shift, gap; uniform float share, size, only, dimmed; uniform sampler2D palette; uniform vec4 plain;
out vec4 colour; flat out float kind;
void main() {
  vec2 at = mix(from, to, share) + gap * tower;
  gl_Position = vec4(at * scale + shift, 0.0, 1.0);
  if (only >= 0.0 && (chosen > 0.5) != (only > 0.5)) gl_Position = vec4(4.0, 4.0, 0.0, 1.0);
  gl_PointSize = size;
  colour = plain.a > 0.0 ? plain : dimmed > 0.5 ? texelFetch(palette, ivec2(256, 0), 0) : texelFetch(palette, ivec2(int(code * 255.0 + 0.5), 0), 0);
  kind = tower;
}`;
const FRAGMENT = `#version 300 es
precision highp float;
in vec4 colour; flat in float kind; uniform float size, round, strength; out vec4 drawn;
void main() {
  vec2 at = abs(gl_PointCoord * 2.0 - 1.0);
  float far = kind > 0.5 ? at.x + at.y : length(at);
  float cover = round > 0.5 ? 1.0 - smoothstep(1.0 - 2.5 / size, 1.0, far) : 1.0;
  float alpha = colour.a * strength * cover;
  if (alpha < 0.004) discard;
  drawn = vec4(colour.rgb * alpha, alpha);
}`;

class Gl {
  constructor(canvas) {
    const gl = (this.gl = canvas.getContext("webgl2", { antialias: false, premultipliedAlpha: true, preserveDrawingBuffer: false }));
    if (!gl) throw new Error("this browser offers none");
    const program = (this.program = gl.createProgram());
    for (const [kind, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program) || "no shader");
    gl.useProgram(program);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    this.at = Object.fromEntries(["scale", "shift", "gap", "share", "size", "only", "dimmed", "plain", "round", "strength", "palette"].map((name) => [name, gl.getUniformLocation(program, name)]));
    this.buffers = {};
    this.texture = gl.createTexture();
  }
  put(name, array, width, target = this.gl.ARRAY_BUFFER) {
    const { gl } = this, buffer = (this.buffers[name] ??= gl.createBuffer());
    gl.bindBuffer(target, buffer);
    gl.bufferData(target, array, gl.STATIC_DRAW);
    const place = width ? gl.getAttribLocation(this.program, name) : -1;
    if (place < 0) return;
    gl.enableVertexAttribArray(place);
    gl.vertexAttribPointer(place, width, array instanceof Float32Array ? gl.FLOAT : gl.UNSIGNED_BYTE, !(array instanceof Float32Array) && name === "code", 0, 0);
  }
  none(name) { // an attribute that is 0 for all points
    const place = this.gl.getAttribLocation(this.program, name);
    if (place >= 0) { this.gl.disableVertexAttribArray(place); this.gl.vertexAttrib1f(place, 0); }
  }
  colours(table) {
    const { gl } = this;
    gl.bindTexture(gl.TEXTURE_2D, this.texture);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 257, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, table);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
  }
  draw(map, { points, lines }) {
    const { gl, at } = this, { canvas } = gl, view = map.view, dots = map.dot * map.ratio;
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.uniform2f(at.scale, (2 * view.kx) / map.width, (2 * view.ky) / map.height);
    gl.uniform2f(at.shift, (-2 * view.kx * view.x) / map.width, (-2 * view.ky * view.y) / map.height);
    gl.uniform2f(at.gap, ...map.moved());
    gl.uniform1f(at.share, map.share);
    gl.uniform1f(at.size, dots);
    if (lines) {
      const ink = map.colours.ink;
      gl.uniform4f(at.plain, ink[0] / 255, ink[1] / 255, ink[2] / 255, 1);
      gl.uniform1f(at.strength, Math.min(0.22, Math.max(0.03, 4 / Math.sqrt(lines))));
      gl.uniform1f(at.round, 0);
      gl.uniform1f(at.only, map.lit ? 1 : -1);
      gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.buffers.pairs);
      gl.drawElements(gl.LINES, 2 * lines, gl.UNSIGNED_INT, 0);
    }
    if (!points) return;
    gl.uniform4f(at.plain, 0, 0, 0, 0);
    gl.uniform1f(at.round, dots > 2.5 ? 1 : 0);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.buffers.order);
    for (const only of map.lit ? [0, 1] : [-1]) {
      gl.uniform1f(at.only, only);
      gl.uniform1f(at.dimmed, only === 0 ? 1 : 0);
      gl.uniform1f(at.strength, only === 0 ? 0.35 : map.strength());
      gl.drawElements(gl.POINTS, map.n, gl.UNSIGNED_INT, 0);
    }
  }
  lose() { this.gl.getExtension("WEBGL_lose_context")?.loseContext(); }
}

// ---- the map -----------------------------------------------------------------------------------------------------------------------

class Points {
  constructor(root, send) {
    this.root = root;
    this.send = send;
    this.serial = null;
    this.n = 0;
    this.tool = "pan";
    this.density = "auto";
    this.showPairs = false;
    this.showFilms = false;
    this.t = 0;
    this.share = 1;
    this.frame = -1;
    this.still = globalThis.matchMedia?.("(prefers-reduced-motion: reduce)").matches ?? false;
    this.build();
    this.listen();
  }

  build() {
    const button = (name, told, keys = "") => `<button type="button" data-do="${name}" aria-label="${told}" title="${told}${keys && ` (${keys})`}"><svg viewBox="0 0 24 24" aria-hidden="true">${ICONS[name]}</svg></button>`;
    const style = document.createElement("style");
    style.textContent = STYLE;
    this.box = document.createElement("div");
    this.box.className = "points";
    this.box.innerHTML = `
      <div class="bar" role="toolbar" aria-label="Tools of the map">
        <span class="group">${button("pan", "Move and click", "P")}${button("lasso", "Draw a lasso", "L")}${button("rectangle", "Draw a rectangle", "R")}</span>
        <span class="group">${button("closer", "Zoom in", "+")}${button("further", "Zoom out", "−")}${button("whole", "See everything", "0")}</span>
        <span class="group">${button("density", "Density instead of points")}${button("pairs", "Lines between image and report")}${button("films", "Films instead of points, once few are in view")}</span>
        <span class="group"><button type="button" data-do="png" title="Save the picture as PNG">PNG</button><button type="button" data-do="svg" title="Save the picture as SVG">SVG</button></span>
      </div>
      <div class="stage" tabindex="0" role="img"><canvas class="under-gl"></canvas><canvas class="gl"></canvas><canvas class="over"></canvas>
        <span class="axis x"></span><span class="axis y"></span><div class="legend" role="group" aria-label="Colours"></div><div class="tip" hidden></div></div>
      <div class="under"><label class="walk" hidden><button type="button" data-do="play" aria-label="Walk through the checkpoints" title="Walk through the checkpoints"></button><input type="range" min="0" step="1" aria-label="Checkpoint shown"><output></output></label><label class="same" hidden><input type="checkbox" checked>same spread</label>
        <label class="gap" hidden>Close the gap <input type="range" min="0" step="1" aria-label="Reports moved towards the images, as a share of the gap"><output></output></label>
        <span class="told" role="status" aria-live="polite"></span></div>`;
    this.root.append(style, this.box);
    const find = (selector) => this.box.querySelector(selector);
    Object.assign(this, { stage: find(".stage"), legend: find(".legend"), tip: find(".tip"), told: find(".told"), walk: find(".walk"), sameRow: find(".same"), gapRow: find(".gap") });
    [this.under, this.glass, this.over] = this.stage.querySelectorAll("canvas");
    this.pen = this.over.getContext("2d");
    this.brush = this.under.getContext("2d");
    try {
      this.gl = new Gl(this.glass);
      this.glass.addEventListener("webglcontextlost", (event) => { event.preventDefault(); this.fallBack("the graphics card stopped"); });
    } catch (error) {
      this.fallBack(error.message);
    }
  }

  fallBack(why) {
    this.gl = null;
    this.why = why;
    this.glass.hidden = true;
    this.stage.dataset.engine = "canvas";
    if (this.n) { this.say(); this.redraw(); }
  }

  // -- what comes in

  show(header, arrays) {
    this.read();
    if (header.serial === this.serial) { this.tint(); return; }
    const kept = this.n === header.n && this.header?.place === header.place; // the same map in other colours keeps view and selection
    this.header = header;
    this.serial = header.serial;
    this.n = header.n;
    this.home = arrays.xy;
    this.raw = header.frames.map((_, place) => arrays[`frame ${place}`]);
    this.spread();
    this.codes = arrays.codes ?? null;
    this.values = arrays.values ?? null;
    this.towers = arrays.towers ?? null;
    this.pairs = arrays.pairs ?? null;
    this.ids = arrays.ids ? new TextDecoder().decode(arrays.ids).split("\n") : null;
    this.near = null;
    this.isolated = null;
    if (!kept) Object.assign(this, { mask: null, polygon: null, chosen: null, hovered: null, films: null, wide: false, t: 0, share: 1, frame: header.frames.indexOf(header.step), view: null });
    this.from = this.to = this.frame < 0 ? this.home : this.frames[this.frame];
    this.counts = new Uint32Array(256);
    if (this.codes) for (let i = 0; i < this.n; i++) this.counts[this.codes[i]]++;
    this.sort();
    this.stage.style.height = `${header.height}px`;
    this.upload();
    this.furnish();
    this.tint();
    this.resize();
  }

  /** Checkpoints as wide as the page's own, unless they shall keep their size: features of an untrained network may lie in a dot. */
  spread() {
    const size = (xy) => {
      const mean = [0, 0];
      let square = 0;
      for (let i = 0; i < xy.length; i++) { mean[i % 2] += xy[i]; square += xy[i] ** 2; }
      mean.forEach((sum, i) => { mean[i] = (2 * sum) / xy.length; });
      return { mean, width: Math.sqrt(Math.max(0, (2 * square) / xy.length - mean[0] ** 2 - mean[1] ** 2)) };
    }, own = size(this.home);
    this.times = this.raw.map((xy) => { const { width } = size(xy); return width > 0 && own.width > 0 ? own.width / width : 1; });
    this.uneven = this.times.some((by) => by > 1.5 || by < 1 / 1.5);
    this.same ??= true;
    this.frames = !this.same || !this.uneven ? this.raw : this.raw.map((xy, place) => {
      if (this.header.frames[place] === this.header.step) return xy;
      const { mean } = size(xy), by = this.times[place];
      return xy.map((each, i) => (each - mean[i % 2]) * by + mean[i % 2]);
    });
    const low = [Infinity, Infinity], high = [-Infinity, -Infinity];
    for (const xy of [this.home, ...this.frames]) for (let i = 0; i < xy.length; i++) { low[i % 2] = Math.min(low[i % 2], xy[i]); high[i % 2] = Math.max(high[i % 2], xy[i]); }
    this.bounds = [low, high];
  }

  /** Rows from what is common to what is rare, those not stated first: what is drawn last lies on top. */
  sort() {
    const ranks = [...Array(256).keys()].sort((a, b) => (b === NONE) - (a === NONE) || (this.header.colour?.categories.length ? this.counts[b] - this.counts[a] : a - b));
    const next = new Uint32Array(256);
    let total = 0;
    for (const code of ranks) { next[code] = total; total += this.counts[code]; }
    this.order = new Uint32Array(this.n);
    for (let i = 0; i < this.n; i++) this.order[this.codes ? next[this.codes[i]]++ : i] = i;
  }

  upload() {
    if (!this.gl) return;
    this.gl.put("from", this.from, 2);
    this.gl.put("to", this.to, 2);
    if (this.codes) this.gl.put("code", this.codes, 1); else this.gl.none("code");
    if (this.towers) this.gl.put("tower", this.towers, 1); else this.gl.none("tower");
    this.gl.put("order", this.order, 0, this.gl.gl.ELEMENT_ARRAY_BUFFER);
    if (this.pairs) this.gl.put("pairs", this.pairs, 0, this.gl.gl.ELEMENT_ARRAY_BUFFER);
    this.masked();
  }

  masked() {
    const mask = this.lit;
    if (!this.gl) return;
    if (mask) this.gl.put("chosen", mask, 1); else this.gl.none("chosen");
  }

  /** What comes beside the points and more often: a row or a set to show, words to say, films to draw. */
  aside(header, arrays) {
    if (!this.n || header.serial === this.besides || header.place !== this.header.place) return; // of a map that is not here yet
    this.besides = header.serial;
    if ("chosen" in header) this.chosen = header.chosen;
    if ("polygon" in header && header.polygon) { this.polygon = header.polygon.length ? header.polygon : null; this.select(); }
    if (arrays.mask) {
      this.polygon = null;
      this.mask = new Uint8Array(this.n);
      for (let i = 0; i < this.n; i++) this.mask[i] = (arrays.mask[i >> 3] >> (7 - (i & 7))) & 1;
      this.count = this.mask.reduce((sum, each) => sum + each, 0);
      this.masked();
    }
    if (header.cleared) { this.mask = this.polygon = null; this.masked(); }
    if ("said" in header) { this.answer = header.said; this.say(); }
    if (header.films) this.receive(header.films, arrays.sheet);
    this.redraw();
  }

  receive(films, sheet) {
    const image = new Image(), url = URL.createObjectURL(new Blob([sheet], { type: films.type }));
    image.onload = () => {
      URL.revokeObjectURL(url);
      this.films = { ...films, image, places: new Map(films.rows.map((row, place) => [row, place]).filter(([row]) => row >= 0)) };
      this.redraw();
      if (films.rows.includes(-1)) setTimeout(() => { this.asked = null; this.survey(); }, 150); // the others are being drawn
    };
    image.onerror = () => { URL.revokeObjectURL(url); this.say("The films could not be read."); };
    image.src = url;
  }

  // -- colours

  read() { // the theme's colours; a change of theme calls again
    const style = getComputedStyle(this.box), get = (name) => style.getPropertyValue(name).trim();
    const ink = rgb(get("--ink")), paper = rgb(get("--paper")), dark = paper[0] + paper[1] + paper[2] < 384, listed = get("--series");
    const series = listed && listed !== "none" && listed !== "unset" ? listed.split(/,(?![^(]*\))/) : SERIES[dark ? "dark" : "light"];
    this.colours = { ink, paper, dark, accent: rgb(get("--accent")), series: series.map((each) => rgb(each.trim())) };
    this.colours.muted = between(ink, paper, 0.38);
    this.colours.faint = between(ink, paper, 0.72);
  }

  tint() {
    const { ink, paper, accent, series, faint } = this.colours, own = this.header.colour, table = new Uint8Array(4 * 257);
    const one = (code, colour) => table.set([...colour, 255], 4 * code);
    for (let code = 0; code <= 256; code++) one(code, code === NONE || code === 256 ? faint : own ? series[5] : accent);
    if (own?.categories.length) own.categories.forEach((_, place) => one(place, series[(own.hues?.[place] ?? place) % series.length]));
    else if (own) {
      const hue = own.kind === "error" ? series[0] : accent, low = between(paper, hue, 0.3), high = between(hue, ink, 0.72);
      for (let code = 0; code <= STEPS; code++) one(code, code < STEPS / 2 ? between(low, hue, (2 * code) / STEPS) : between(hue, high, (2 * code) / STEPS - 1));
    }
    this.table = table;
    this.gl?.colours(table);
    this.furnishLegend();
    this.redraw();
  }

  colourOf(row) { const at = 4 * (this.codes ? this.codes[row] : 0); return [...this.table.subarray(at, at + 3)]; }

  // -- furniture: legend, axes, sliders, words

  furnish() {
    const { header } = this, [x, y] = this.stage.querySelectorAll(".axis");
    x.textContent = header.axes[0];
    y.textContent = header.axes[1];
    this.stage.setAttribute("aria-label", `${header.title}. ${thousands(this.n)} points${header.colour ? `, coloured by ${header.colour.name}` : ""}. Arrow keys move, plus and minus zoom, 0 shows everything, L lasso, R rectangle: arrows move it, shift and arrows size it, Enter selects; P and Enter take the point in the middle.`);
    this.walk.hidden = this.frames.length < 2;
    this.sameRow.hidden = !this.uneven;
    this.sameRow.title = "Draws every checkpoint as wide as this page's; the number says how much larger or smaller that is";
    this.gapRow.hidden = !(header.gap && this.towers && header.rescored);
    const [walk, gap] = [this.walk.querySelector("input"), this.gapRow.querySelector("input")];
    walk.max = this.frames.length - 1;
    walk.value = Math.max(0, this.frame);
    if (header.rescored) { gap.max = header.rescored.t.length - 1; gap.value = header.rescored.t.indexOf(this.t); }
    this.box.querySelector("[data-do=pairs]").hidden = !this.pairs;
    this.box.querySelector("[data-do=films]").hidden = !header.films;
    this.press();
    this.say();
  }

  furnishLegend() {
    const own = this.header.colour, legend = this.legend;
    legend.replaceChildren();
    const add = (tag, text, parent = legend, kind = "") => { const made = document.createElement(tag); made.textContent = text; made.className = kind; parent.append(made); return made; };
    if (this.towers) add("div", "● image   ◆ report", legend, "shape");
    if (own) {
      add("b", own.name);
      const row = (code, name) => {
        const made = add("button", ""), dot = add("i", "", made);
        made.type = "button";
        made.dataset.code = code;
        made.title = "Show these alone";
        made.setAttribute("aria-pressed", String(this.alone === code && !!this.isolated));
        dot.style.background = css([...this.table.subarray(4 * code, 4 * code + 3)]);
        add("span", `${name} ${thousands(this.counts[code])}`, made);
      };
      own.categories.forEach((name, code) => this.counts[code] && row(code, name));
      if (!own.categories.length) {
        const stops = [0, 64, 127, 190, STEPS].map((code) => css([...this.table.subarray(4 * code, 4 * code + 3)]));
        add("div", "", legend, "ramp").style.background = `linear-gradient(90deg, ${stops.join(", ")})`;
        const ends = add("div", "", legend, "ends");
        add("span", number(own.low), ends);
        add("span", number(own.high), ends);
      }
      if (this.counts[NONE]) row(NONE, "not stated");
    }
    legend.hidden = !legend.childElementCount;
  }

  press() {
    const state = { pan: this.tool === "pan", lasso: this.tool === "lasso", rectangle: this.tool === "rectangle", density: this.dense(), pairs: this.showPairs, films: this.showFilms };
    for (const [name, on] of Object.entries(state)) this.box.querySelector(`[data-do=${name}]`).setAttribute("aria-pressed", String(on));
    const play = this.box.querySelector("[data-do=play]");
    play.innerHTML = `<svg viewBox="0 0 24 24" aria-hidden="true">${ICONS[this.playing ? "pause" : "play"]}</svg>`;
    this.stage.dataset.tool = this.tool;
    const { header } = this;
    if (!header) return;
    this.walk.querySelector("output").textContent = this.frame < 0 ? "" : `step ${header.frames[this.frame]}${this.same && this.uneven && header.frames[this.frame] !== header.step ? `, drawn ×${number(this.times[this.frame])}` : ""}`;
    if (header.rescored) this.gapRow.querySelector("output").textContent = header.rescored.said[header.rescored.t.indexOf(this.t)] ?? "";
  }

  say(words) {
    const parts = [words ?? this.answer ?? (this.mask ? `${thousands(this.count)} of ${thousands(this.n)} points chosen` : `${thousands(this.n)} points`)];
    if (this.lines > LINES_MOST && !this.gl && this.showPairs) parts.push(`${thousands(LINES_MOST)} of ${thousands(this.lines)} lines drawn`);
    if (this.dense()) parts.push("drawn as density, darker where more lie");
    if (this.showFilms && this.header.films && (this.visible ?? this.n) > FILMS_MOST) parts.push(`films appear once ${FILMS_MOST} or fewer are in view (${thousands(this.visible ?? this.n)} now)`);
    if (!this.gl) parts.push(`drawn without WebGL: ${this.why}`);
    const text = parts.filter(Boolean).join(" · ");
    if (this.told.textContent !== text) this.told.textContent = text;
  }

  // -- where things are

  get lit() { return this.isolated ?? this.mask; }
  x(i) { return this.from[2 * i] + (this.to[2 * i] - this.from[2 * i]) * this.share + (this.t && this.towers?.[i] ? this.shift[0] : 0); }
  y(i) { return this.from[2 * i + 1] + (this.to[2 * i + 1] - this.from[2 * i + 1]) * this.share + (this.t && this.towers?.[i] ? this.shift[1] : 0); }
  moved() { return this.header.gap && this.t ? (this.shift = this.header.gap.map((each) => each * this.t)) : (this.shift = [0, 0]); }
  px(x) { return (x - this.view.x) * this.view.kx + this.width / 2; }
  py(y) { return this.height / 2 - (y - this.view.y) * this.view.ky; }
  ux(px) { return (px - this.width / 2) / this.view.kx + this.view.x; }
  uy(py) { return (this.height / 2 - py) / this.view.ky + this.view.y; }
  get dot() { return Math.max(2.2, Math.min(13, (this.n > 2e5 ? 2.6 : this.n > 2e4 ? 4 : this.n > 2000 ? 5.5 : 8) * Math.min(2, Math.max(1, Math.sqrt(this.zoom) * 0.8)))); }
  get zoom() { return this.view.kx / this.fit().kx; }
  strength() { return this.n > 2e4 ? 0.55 : 0.72; }
  dense() { return this.density === "auto" ? this.crowded ?? false : this.density === "on"; }

  fit() {
    const { equal } = this.header, [low, high] = this.wide ? this.bounds : [this.header.low, this.header.high], room = 46, span = (i) => high[i] - low[i] || 1;
    let kx = Math.max(10, this.width - 2 * room) / span(0), ky = Math.max(10, this.height - 2 * room) / span(1);
    if (equal) kx = ky = Math.min(kx, ky);
    return { x: (low[0] + high[0]) / 2, y: (low[1] + high[1]) / 2, kx, ky };
  }

  zoomBy(factor, px = this.width / 2, py = this.height / 2) {
    const held = this.fit().kx, wanted = Math.min(held * 4000, Math.max(held * 0.5, this.view.kx * factor)), by = wanted / this.view.kx;
    const x = this.ux(px), y = this.uy(py);
    Object.assign(this.view, { kx: this.view.kx * by, ky: this.view.ky * by });
    this.view.x += x - this.ux(px);
    this.view.y += y - this.uy(py);
    this.looked();
  }
  panBy(dx, dy) { this.view.x -= dx / this.view.kx; this.view.y += dy / this.view.ky; this.looked(); }
  reset() { this.wide = this.frame >= 0 && this.header.frames[this.frame] !== this.header.step; this.view = this.fit(); this.looked(); }
  looked() {
    this.redraw();
    clearTimeout(this.settled);
    this.settled = setTimeout(() => this.survey(), 160);
  }

  /** How many points are in view, and from that whether dots or density; asks for films when few enough are left. */
  survey() {
    if (!this.n || !this.view) return;
    const box = [this.ux(0), this.uy(this.height), this.ux(this.width), this.uy(0)];
    let count = 0;
    for (let i = 0; i < this.n; i++) { const x = this.x(i), y = this.y(i); count += x >= box[0] && x <= box[2] && y >= box[1] && y <= box[3]; }
    const area = Math.min(this.width, (this.header.high[0] - this.header.low[0] || 1) * this.view.kx) * Math.min(this.height, (this.header.high[1] - this.header.low[1] || 1) * this.view.ky);
    this.visible = count;
    this.crowded = (count * 0.8 * this.dot ** 2) / Math.max(1, area) > CROWDED || (!this.gl && count > CANVAS_MOST);
    this.press();
    this.say();
    this.redraw();
    if (this.showFilms && this.header.films && count && count <= FILMS_MOST && this.usual() === "") {
      const asked = box.map((each, i) => Number((each + this.header.origin[i % 2]).toPrecision(9)));
      if (String(asked) !== this.asked) { this.asked = String(asked); this.send("looking", asked); }
    }
  }

  // -- drawing

  redraw() { this.wanted ??= requestAnimationFrame(() => { this.wanted = null; this.paint(); }); }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.stage;
    if (!width || !height || !this.header) return;
    const ratio = Math.min(2, globalThis.devicePixelRatio || 1), first = !this.view;
    if (first || width !== this.width || height !== this.height || ratio !== this.ratio) {
      const by = first ? 1 : Math.min(width / this.width, height / this.height);
      Object.assign(this, { width, height, ratio });
      for (const canvas of [this.under, this.glass, this.over]) { canvas.width = Math.round(width * ratio); canvas.height = Math.round(height * ratio); }
      if (first) { this.read(); this.tint(); } // Jupyter hands over a place that is not on the page yet, where no colour is known
      if (first) this.view = this.fit(); else { this.view.kx *= by; this.view.ky *= by; }
    }
    this.survey();
  }

  paint() {
    if (!this.header || !this.view) return;
    this.moved();
    const dense = this.dense(), lines = this.showPairs && this.pairs ? this.pairs.length / 2 : 0;
    this.lines = lines;
    this.brush.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    this.brush.clearRect(0, 0, this.width, this.height);
    if (dense) this.paintDensity();
    if (this.gl) this.gl.draw(this, { points: !dense, lines });
    else { if (lines) this.paintLines(lines); if (!dense) this.paintDots(); }
    this.paintOver();
    this.stage.dataset.drawn = this.serial;
    this.stage.dataset.engine = this.gl ? "webgl" : "canvas";
  }

  paintDensity() {
    const w = Math.ceil(this.width / CELL), h = Math.ceil(this.height / CELL), count = new Float32Array(w * h), sum = new Float32Array(3 * w * h), mask = this.lit;
    const [fr, fg, fb] = this.colours.faint, kx = this.view.kx / CELL, ky = this.view.ky / CELL, table = this.table;
    for (let i = 0; i < this.n; i++) {
      const column = Math.floor((this.x(i) - this.view.x) * kx + w / 2), row = Math.floor(h / 2 - (this.y(i) - this.view.y) * ky);
      if (column < 0 || row < 0 || column >= w || row >= h) continue;
      const cell = row * w + column, at = 4 * (this.codes ? this.codes[i] : 0), weight = mask && !mask[i] ? 0.05 : 1;
      count[cell] += weight;
      const own = !mask || mask[i];
      sum[3 * cell] += weight * (own ? table[at] : fr);
      sum[3 * cell + 1] += weight * (own ? table[at + 1] : fg);
      sum[3 * cell + 2] += weight * (own ? table[at + 2] : fb);
    }
    let most = 1;
    for (const each of count) if (each > most) most = each;
    const image = new ImageData(w, h), top = Math.log1p(most);
    for (let cell = 0; cell < w * h; cell++) {
      if (!count[cell]) continue;
      image.data[4 * cell] = sum[3 * cell] / count[cell];
      image.data[4 * cell + 1] = sum[3 * cell + 1] / count[cell];
      image.data[4 * cell + 2] = sum[3 * cell + 2] / count[cell];
      image.data[4 * cell + 3] = 255 * (0.12 + 0.88 * (Math.log1p(count[cell]) / top));
    }
    this.small ??= document.createElement("canvas");
    this.small.width = w;
    this.small.height = h;
    this.small.getContext("2d").putImageData(image, 0, 0);
    this.brush.imageSmoothingEnabled = false;
    this.brush.drawImage(this.small, (this.width - w * CELL) / 2, (this.height - h * CELL) / 2, w * CELL, h * CELL);
  }

  paintDots() { // without WebGL
    const pen = this.brush, r = this.dot / 2, mask = this.lit;
    for (const pass of mask ? [0, 1] : [1]) {
      pen.globalAlpha = pass ? this.strength() : 0.35;
      let last = -1;
      for (const i of this.order) {
        if (mask && mask[i] !== pass) continue;
        const x = this.px(this.x(i)), y = this.py(this.y(i)), code = pass ? (this.codes ? this.codes[i] : 0) : 256;
        if (x < -r || y < -r || x > this.width + r || y > this.height + r) continue;
        if (code !== last) pen.fillStyle = css([...this.table.subarray(4 * code, 4 * code + 3)]);
        last = code;
        this.mark(pen, x, y, r, this.towers?.[i]);
      }
    }
    pen.globalAlpha = 1;
  }

  mark(pen, x, y, r, diamond) {
    pen.beginPath();
    if (diamond) { pen.moveTo(x, y - r); pen.lineTo(x + r, y); pen.lineTo(x, y + r); pen.lineTo(x - r, y); } else pen.arc(x, y, r, 0, 2 * Math.PI);
    pen.fill();
  }

  paintLines(lines) {
    const pen = this.brush, mask = this.lit;
    pen.strokeStyle = css(this.colours.ink, 0.18);
    pen.lineWidth = 1;
    pen.beginPath();
    for (let k = 0; k < Math.min(lines, LINES_MOST); k++) {
      const a = this.pairs[2 * k], b = this.pairs[2 * k + 1];
      if (mask && !(mask[a] && mask[b])) continue;
      pen.moveTo(this.px(this.x(a)), this.py(this.y(a)));
      pen.lineTo(this.px(this.x(b)), this.py(this.y(b)));
    }
    pen.stroke();
  }

  paintOver() {
    const pen = this.pen, { ink, accent, paper } = this.colours;
    pen.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    pen.clearRect(0, 0, this.width, this.height);
    if (this.showFilms && this.films && !this.dense()) this.paintFilms(pen);
    if (this.header.gap && this.towers) this.paintGap(pen);
    const line = this.drawing?.length > 1 ? this.drawing : this.polygon?.map(([x, y]) => [this.px(x - this.header.origin[0]), this.py(y - this.header.origin[1])]);
    if (line) {
      pen.beginPath();
      line.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
      pen.closePath();
      pen.fillStyle = css(accent, 0.08);
      pen.fill("evenodd");
      pen.strokeStyle = css(accent, 0.9);
      pen.lineWidth = 1.5;
      pen.stroke();
    }
    if (this.frameOf) { const { x, y, w, h } = this.frameOf; pen.strokeStyle = css(accent); pen.setLineDash([5, 3]); pen.lineWidth = 1.5; pen.strokeRect(x, y, w, h); pen.setLineDash([]); }
    for (const [row, width] of [[this.chosen, 2], [this.hovered, 1.3]]) {
      if (row == null || row < 0 || row >= this.n) continue;
      const x = this.px(this.x(row)), y = this.py(this.y(row));
      pen.fillStyle = css(this.colourOf(row));
      this.mark(pen, x, y, this.dot / 2 + 0.5, this.towers?.[row]);
      for (const [colour, more] of [[paper, 2], [ink, 0]]) { pen.strokeStyle = css(colour); pen.lineWidth = width + more; pen.beginPath(); pen.arc(x, y, this.dot / 2 + 4, 0, 2 * Math.PI); pen.stroke(); }
    }
    if (this.focused && this.tool === "pan") { const x = this.width / 2, y = this.height / 2; pen.strokeStyle = css(ink, 0.6); pen.lineWidth = 1; pen.beginPath(); pen.moveTo(x - 9, y); pen.lineTo(x + 9, y); pen.moveTo(x, y - 9); pen.lineTo(x, y + 9); pen.stroke(); }
  }

  paintGap(pen) {
    const mean = [[0, 0, 0], [0, 0, 0]];
    for (let i = 0; i < this.n; i++) { const own = mean[this.towers[i]]; own[0] += this.x(i); own[1] += this.y(i); own[2]++; }
    const [[ax, ay], [bx, by]] = mean.map(([x, y, n]) => [this.px(x / n), this.py(y / n)]), { ink, paper } = this.colours, length = Math.hypot(bx - ax, by - ay);
    if (!(length > 6)) return;
    const dx = (bx - ax) / length, dy = (by - ay) / length;
    for (const [colour, width] of [[paper, 5], [ink, 2]]) {
      pen.strokeStyle = pen.fillStyle = css(colour);
      pen.lineWidth = width;
      pen.beginPath();
      pen.moveTo(ax, ay);
      pen.lineTo(bx - 7 * dx, by - 7 * dy);
      pen.stroke();
      pen.beginPath();
      pen.moveTo(bx, by);
      pen.lineTo(bx - 10 * dx - 5 * dy, by - 10 * dy + 5 * dx);
      pen.lineTo(bx - 10 * dx + 5 * dy, by - 10 * dy - 5 * dx);
      pen.fill();
    }
    pen.font = `600 11.5px ${getComputedStyle(this.box).fontFamily}`;
    pen.lineWidth = 3;
    pen.strokeStyle = css(paper);
    pen.fillStyle = css(ink);
    for (const act of ["strokeText", "fillText"]) pen[act]("gap", (ax + bx) / 2 + 8 * dy + 4, (ay + by) / 2 - 8 * dx);
  }

  paintFilms(pen) {
    const taken = [], edge = Math.max(34, Math.min(this.films.edge, Math.sqrt((this.width * this.height) / Math.max(1, this.visible ?? 1)) * 0.62));
    pen.imageSmoothingEnabled = true;
    for (const [row, place] of this.films.places) {
      const x = this.px(this.x(row)), y = this.py(this.y(row));
      if (x < 0 || y < 0 || x > this.width || y > this.height || taken.some(([u, v]) => Math.abs(u - x) < 0.7 * edge && Math.abs(v - y) < 0.7 * edge)) continue;
      taken.push([x, y]);
      const { edge: own, columns, image } = this.films;
      pen.fillStyle = css(this.colourOf(row));
      pen.fillRect(x - edge / 2 - 2, y - edge / 2 - 2, edge + 4, edge + 4);
      pen.drawImage(image, (place % columns) * own, Math.floor(place / columns) * own, own, own, x - edge / 2, y - edge / 2, edge, edge);
    }
  }

  // -- choosing

  /** Why nothing can be chosen just now; "" where it can: what is chosen is looked up in the places the page knows. */
  usual() {
    if (this.t) return "The reports stand elsewhere: set the gap back to 0 to choose points.";
    if (this.frame >= 0 && this.header.frames[this.frame] !== this.header.step) return `Choosing works at step ${this.header.step}, the checkpoint of this page.`;
    return "";
  }

  select() {
    const [ox, oy] = this.header.origin;
    this.mask = this.polygon ? inside((i) => this.home[2 * i] + ox, (i) => this.home[2 * i + 1] + oy, this.n, this.polygon) : null;
    this.count = this.mask?.reduce((sum, each) => sum + each, 0);
    this.masked();
  }

  finish(corners) { // pixels
    const why = this.usual(), kept = corners.length > 2 ? simplified(corners) : corners, area = Math.abs(kept.reduce((sum, [x, y], i) => { const [bx, by] = kept[(i + 1) % kept.length]; return sum + x * by - bx * y; }, 0));
    this.drawing = null;
    if (why || kept.length < 3 || area < 4) {
      this.say(why || "A lasso needs at least three corners around something.");
      this.redraw();
      return;
    }
    this.polygon = kept.map(([x, y]) => [this.ux(x) + this.header.origin[0], this.uy(y) + this.header.origin[1]].map((each) => Number(each.toPrecision(7))));
    this.isolated = null;
    this.chosen = null;
    this.select();
    this.answer = null;
    this.say();
    this.redraw();
    this.send("geometry", { kind: "lasso", polygon: this.polygon });
  }

  clear() {
    if (this.drawing || this.frameOf) { this.drawing = this.frameOf = null; this.redraw(); return; }
    const had = this.mask;
    Object.assign(this, { mask: null, polygon: null, isolated: null, answer: null });
    this.masked();
    this.furnishLegend();
    this.say("Nothing chosen");
    this.redraw();
    if (had) this.send("geometry", { kind: "lasso", polygon: [] });
  }

  at(px, py, reach = 14) {
    if (this.share < 1) return -1;
    this.near ??= new Near(this);
    const r = Math.max(reach, this.dot), close = this.near.within(this.ux(px - r), this.uy(py + r), this.ux(px + r), this.uy(py - r), 4000);
    let best = -1, least = r * r;
    for (const i of close) { const d = (this.px(this.x(i)) - px) ** 2 + (this.py(this.y(i)) - py) ** 2; if (d < least) { least = d; best = i; } }
    return best;
  }

  click(px, py, reach) {
    const row = this.at(px, py, reach);
    if (row < 0) return;
    this.chosen = row;
    this.say(`${this.name(row)} chosen`);
    this.redraw();
    this.send("geometry", { kind: "click", row });
  }

  name(row) { return this.ids ? this.ids[row] : `row ${thousands(row)}`; }

  hover(px, py) {
    const row = this.at(px, py, 9);
    if (row === this.hovered) return;
    this.hovered = row < 0 ? null : row;
    this.tip.hidden = row < 0;
    if (row >= 0) {
      const own = this.header.colour, code = this.codes?.[row], value = !own ? "" : code === NONE ? "not stated" : own.categories.length ? own.categories[code] : this.values ? number(this.values[row]) : "";
      const head = document.createElement("code"), rest = document.createElement("span");
      head.textContent = this.name(row);
      rest.textContent = [this.towers ? ["image", "report"][this.towers[row]] : "", own && value ? `${own.name}: ${value}` : ""].filter(Boolean).join(" · ");
      this.tip.replaceChildren(head, rest);
      const x = this.px(this.x(row)), y = this.py(this.y(row));
      Object.assign(this.tip.style, x > this.width * 0.6 ? { right: `${this.width - x + 14}px`, left: "auto" } : { left: `${x + 14}px`, right: "auto" });
      this.tip.style.top = `${Math.max(2, Math.min(this.height - 46, y - 12))}px`;
    }
    this.redraw();
    clearTimeout(this.dwelt);
    if (row >= 0) this.dwelt = setTimeout(() => this.hovered === row && this.send("hovered", row), 350);
  }

  // -- walking through checkpoints

  go(place, quick = false) {
    if (place < 0 || place >= this.frames.length || place === this.frame) return;
    cancelAnimationFrame(this.moving);
    if (!this.wide) { this.wide = true; this.view = this.fit(); } // room for every checkpoint
    this.from = this.frame < 0 ? this.home : this.frames[this.frame];
    this.to = this.frames[place];
    this.frame = place;
    this.walk.querySelector("input").value = place;
    this.near = null;
    this.gl?.put("from", this.from, 2);
    this.gl?.put("to", this.to, 2);
    const start = performance.now(), step = (now) => {
      const share = this.still || quick ? 1 : Math.min(1, (now - start) / WALK);
      this.share = share < 1 ? share * share * (3 - 2 * share) : 1;
      if (share === 1) { this.from = this.to; this.gl?.put("from", this.from, 2); this.survey(); } else this.moving = requestAnimationFrame(step);
      this.redraw();
    };
    this.press();
    step(start);
  }

  play(on) {
    clearTimeout(this.playing);
    this.playing = null;
    if (on) {
      const next = () => {
        if (this.frame >= this.frames.length - 1) { this.playing = null; this.press(); return; }
        this.go(this.frame + 1);
        this.playing = setTimeout(next, WALK + REST);
      };
      if (this.frame >= this.frames.length - 1) this.go(0, true);
      this.playing = setTimeout(next, REST);
    }
    this.press();
  }

  // -- listening

  listen() {
    const { stage } = this, place = (event) => { const box = stage.getBoundingClientRect(); return [event.clientX - box.x, event.clientY - box.y]; };
    stage.addEventListener("wheel", (event) => { event.preventDefault(); this.zoomBy(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)), ...place(event)); }, { passive: false });
    stage.addEventListener("pointerdown", (event) => {
      if (event.button || event.target.closest(".legend")) return;
      stage.setPointerCapture(event.pointerId);
      const at = place(event);
      this.down = { start: at, last: at, far: false };
      if (this.tool === "lasso") this.drawing = [at];
      stage.classList.toggle("dragging", this.tool === "pan");
    });
    stage.addEventListener("pointermove", (event) => {
      const at = place(event), { down } = this;
      if (!down) { if (!event.target.closest?.(".legend")) this.hover(...at); return; }
      down.far ||= Math.hypot(at[0] - down.start[0], at[1] - down.start[1]) > 4;
      if (this.tool === "pan" && down.far) this.panBy(at[0] - down.last[0], at[1] - down.last[1]);
      if (this.tool === "lasso") { const [x, y] = this.drawing.at(-1); if (Math.hypot(at[0] - x, at[1] - y) >= 1.5) this.drawing.push(at); this.redraw(); }
      if (this.tool === "rectangle") { const [x, y] = down.start; this.drawing = [[x, y], [at[0], y], at, [x, at[1]]]; this.redraw(); }
      down.last = at;
    });
    stage.addEventListener("pointerup", () => {
      const { down } = this;
      this.down = null;
      stage.classList.remove("dragging");
      if (!down) return;
      if (!down.far) { this.drawing = null; this.click(...down.start); this.redraw(); }
      else if (this.tool !== "pan" && this.drawing) this.finish(this.drawing);
    });
    stage.addEventListener("pointercancel", () => { this.down = this.drawing = null; this.redraw(); });
    stage.addEventListener("pointerleave", () => { if (!this.down) this.hover(-1e6, -1e6); });
    stage.addEventListener("dblclick", (event) => !event.target.closest(".legend") && this.reset());
    stage.addEventListener("focus", () => { this.focused = stage.matches(":focus-visible"); this.redraw(); });
    stage.addEventListener("blur", () => { this.focused = false; this.frameOf = null; this.redraw(); });
    stage.addEventListener("keydown", (event) => { if (event.target === stage && this.key(event)) { event.preventDefault(); event.stopPropagation(); } });
    this.box.addEventListener("keydown", (event) => event.target !== stage && event.stopPropagation());
    this.box.addEventListener("click", (event) => { const button = event.target.closest("button"); if (button) this.act(button); });
    this.walk.querySelector("input").addEventListener("input", (event) => { this.play(false); this.go(Number(event.target.value)); });
    this.gapRow.querySelector("input").addEventListener("input", (event) => {
      this.t = this.header.rescored.t[Number(event.target.value)];
      this.moved();
      this.near = null;
      this.press();
      this.looked();
    });
    this.sameRow.querySelector("input").addEventListener("change", (event) => {
      this.play(false);
      this.same = event.target.checked;
      this.spread();
      this.share = 1;
      this.from = this.to = this.frame < 0 ? this.home : this.frames[this.frame];
      this.gl?.put("from", this.from, 2);
      this.gl?.put("to", this.to, 2);
      this.near = null;
      this.press();
      this.reset();
    });
    this.watcher = new ResizeObserver(() => this.resize());
    this.watcher.observe(stage);
    this.themes = new MutationObserver(() => { if (this.header) { this.read(); this.tint(); } });
    this.themes.observe(document.body, { attributes: true, attributeFilter: ["class", "data-jp-theme-light"] });
  }

  act(button) {
    const name = button.dataset.do;
    if (button.dataset.code) return this.isolate(Number(button.dataset.code));
    if (["pan", "lasso", "rectangle"].includes(name)) { this.tool = name; this.frameOf = null; }
    if (name === "closer" || name === "further") this.zoomBy(name === "closer" ? 1.6 : 1 / 1.6);
    if (name === "whole") this.reset();
    if (name === "density") this.density = this.dense() ? "off" : "on";
    if (name === "pairs") this.showPairs = !this.showPairs;
    if (name === "films") { this.showFilms = !this.showFilms; this.asked = null; this.survey(); }
    if (name === "play") this.play(!this.playing);
    if (name === "png") this.savePng();
    if (name === "svg") this.saveSvg();
    this.press();
    this.say();
    this.redraw();
  }

  isolate(code) {
    const on = this.alone !== code || !this.isolated;
    this.alone = code;
    this.isolated = on ? Uint8Array.from(this.codes, (each) => Number(each === code)) : null;
    this.masked();
    this.furnishLegend();
    this.legend.querySelector(`[data-code="${code}"]`)?.focus();
    this.redraw();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }, tools = { l: "lasso", r: "rectangle", p: "pan" }, letter = event.key.toLowerCase();
    if (arrows[event.key]) {
      const [dx, dy] = arrows[event.key];
      if (this.tool !== "rectangle") { this.panBy(-60 * dx, -60 * dy); return true; }
      const own = (this.frameOf ??= { x: this.width * 0.35, y: this.height * 0.35, w: this.width * 0.3, h: this.height * 0.3 });
      if (event.shiftKey) { own.w = Math.max(6, own.w + 12 * dx); own.h = Math.max(6, own.h + 12 * dy); } else { own.x += 12 * dx; own.y += 12 * dy; }
      this.redraw();
    } else if (event.key === "Enter") {
      const own = this.frameOf;
      if (this.tool === "rectangle" && own) { this.frameOf = null; this.finish([[own.x, own.y], [own.x + own.w, own.y], [own.x + own.w, own.y + own.h], [own.x, own.y + own.h]]); }
      else if (this.tool === "pan") this.click(this.width / 2, this.height / 2, 60);
    } else if (event.key === "Escape") this.clear();
    else if (event.key === "+" || event.key === "=") this.zoomBy(1.4);
    else if (event.key === "-" || event.key === "_") this.zoomBy(1 / 1.4);
    else if (event.key === "0") this.reset();
    else if (tools[letter]) {
      this.tool = tools[letter];
      this.frameOf = this.tool === "rectangle" ? { x: this.width * 0.35, y: this.height * 0.35, w: this.width * 0.3, h: this.height * 0.3 } : null;
      this.press();
      this.redraw();
    } else return false;
    return true;
  }

  // -- pictures

  save(url, kind) {
    const line = document.createElement("a");
    line.href = url;
    line.download = `map.${kind}`;
    line.click();
  }

  caption() { const own = this.header.colour; return [this.header.title, own ? `coloured by ${own.name}` : ""].filter(Boolean).join(", "); }

  savePng() {
    const canvas = document.createElement("canvas"), pen = canvas.getContext("2d"), foot = 26, font = getComputedStyle(this.box).fontFamily, hide = this.showFilms && this.films && !this.films.leave;
    canvas.width = this.width * this.ratio;
    canvas.height = (this.height + foot) * this.ratio;
    if (hide) this.showFilms = false; // the terms of their data set keep films on the screen
    this.paint(); // in this very task, before the browser takes the drawing away
    pen.fillStyle = css(this.colours.paper);
    pen.fillRect(0, 0, canvas.width, canvas.height);
    for (const layer of [this.under, this.glass, this.over]) if (!layer.hidden) pen.drawImage(layer, 0, 0);
    if (hide) { this.showFilms = true; this.redraw(); }
    pen.scale(this.ratio, this.ratio);
    pen.font = `12px ${font}`;
    pen.fillStyle = css(this.colours.ink);
    pen.fillText(this.caption(), 8, this.height + 17);
    this.entries().forEach(([name, colour], i) => { pen.fillStyle = css(colour); pen.beginPath(); pen.arc(this.width - 170, 16 + 17 * i, 4, 0, 7); pen.fill(); pen.fillStyle = css(this.colours.ink); pen.fillText(name, this.width - 160, 20 + 17 * i); });
    this.save(canvas.toDataURL("image/png"), "png");
    this.say(hide ? "Saved as PNG without the films, which may not leave this screen" : "Saved as PNG");
  }

  entries() {
    const own = this.header.colour;
    if (!own) return [];
    const colour = (code) => [...this.table.subarray(4 * code, 4 * code + 3)], rows = own.categories.map((name, code) => [`${name} ${this.counts[code]}`, colour(code)]);
    return own.categories.length ? rows : [[`${own.name}: ${number(own.low)}`, colour(0)], [number(own.high), colour(STEPS)]];
  }

  saveSvg() {
    if ((this.visible ?? this.n) > SVG_MOST) { this.say(`An SVG holds up to ${thousands(SVG_MOST)} points, ${thousands(this.visible ?? this.n)} are in view: take the PNG, or zoom in`); return; }
    const { width, height } = this, r = this.dot / 2, text = (s) => String(s).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`), ink = css(this.colours.ink), mask = this.lit, parts = [];
    const at = (i) => [this.px(this.x(i)).toFixed(1), this.py(this.y(i)).toFixed(1)], seen = (x, y) => x > -r && y > -r && x < width + r && y < height + r;
    if (this.showPairs && this.pairs) for (let k = 0; k < this.pairs.length; k += 2) { const [ax, ay] = at(this.pairs[k]), [bx, by] = at(this.pairs[k + 1]); parts.push(`<path d="M${ax} ${ay}L${bx} ${by}" stroke="${ink}" stroke-opacity=".18"/>`); }
    for (const i of this.order) {
      const [x, y] = at(i);
      if (!seen(x, y)) continue;
      const dim = mask && !mask[i], fill = css(dim ? this.colours.faint : this.colourOf(i)), alpha = dim ? 0.35 : this.strength();
      parts.push(this.towers?.[i] ? `<path d="M${x} ${y - r}l${r} ${r}-${r} ${r}-${r}-${r}z" fill="${fill}" fill-opacity="${alpha}"/>` : `<circle cx="${x}" cy="${y}" r="${r}" fill="${fill}" fill-opacity="${alpha}"/>`);
    }
    if (this.polygon) parts.push(`<polygon points="${this.polygon.map(([x, y]) => `${this.px(x - this.header.origin[0]).toFixed(1)},${this.py(y - this.header.origin[1]).toFixed(1)}`).join(" ")}" fill="none" stroke="${css(this.colours.accent)}" stroke-width="1.5"/>`);
    this.entries().forEach(([name, colour], i) => parts.push(`<circle cx="${width - 170}" cy="${16 + 17 * i}" r="4" fill="${css(colour)}"/><text x="${width - 160}" y="${20 + 17 * i}" fill="${ink}">${text(name)}</text>`));
    const whole = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height + 26}" font-family="Inter, sans-serif" font-size="12"><title>${text(this.caption())}</title><rect width="100%" height="100%" fill="${css(this.colours.paper)}"/>${parts.join("")}<text x="8" y="${height + 17}" fill="${ink}">${text(this.caption())}</text></svg>`;
    const url = URL.createObjectURL(new Blob([whole], { type: "image/svg+xml" }));
    this.save(url, "svg");
    setTimeout(() => URL.revokeObjectURL(url), 10000);
    this.say("Saved as SVG");
  }

  destroy() {
    this.play(false);
    cancelAnimationFrame(this.moving);
    cancelAnimationFrame(this.wanted);
    clearTimeout(this.settled);
    clearTimeout(this.dwelt);
    this.watcher.disconnect();
    this.themes.disconnect();
    this.gl?.lose();
    this.box.remove();
  }
}

// ---- where it lives ----------------------------------------------------------------------------------------------------------------

const OWN = new WeakMap(); // Streamlit calls again whenever data or theme change: one map a place

function inStreamlit({ data, parentElement, setTriggerValue }) {
  const { header, blob } = unpack(data), shared = SHARED.get(header.key) ?? {};
  SHARED.set(header.key, shared);
  let map = OWN.get(parentElement);
  if (!map) OWN.set(parentElement, (map = new Points(parentElement, (name, value) => map.tell(name, value))));
  map.tell = setTriggerValue;
  shared.map = map;
  shared.take = (bytes) => { const beside = unpack(bytes); map.aside(beside.header, arraysOf(beside.header, beside.blob)); };
  map.show(header, arraysOf(header, blob));
  if (shared.aside) shared.take(shared.aside);
  return () => { map.destroy(); OWN.delete(parentElement); if (shared.map === map) SHARED.delete(header.key); };
}

function inJupyter({ model, el }) {
  const map = new Points(el, (name, value) => { model.set(name, value); model.save_changes(); });
  const show = () => map.show(model.get("header"), arraysOf(model.get("header"), model.get("blob")));
  const aside = () => { const header = model.get("beside"); if (header.arrays) map.aside(header, arraysOf(header, model.get("besides"))); };
  show();
  aside();
  model.on("change:header", show);
  model.on("change:beside", aside);
  return () => { model.off("change:header", show); model.off("change:beside", aside); map.destroy(); };
}

export default function (component) {
  return component ? inStreamlit(component) : { render: inJupyter };
}
