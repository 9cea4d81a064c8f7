// A recording to look at and to correct. From top to bottom: what Python packed (review_packing.py), events as
// values that functions make anew, label files, pictures, and what keys, buttons and the mouse do.
// Frames are whole numbers; an event has those from `start` up to, and without, `end`.

const data = JSON.parse(document.getElementById('data').textContent);
const byId = (id) => document.getElementById(id);
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

// ---------------------------------------------------------------- What Python packed

async function unpack(text) {
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** When each frame begins, and the end of the last one, in ticks. */
function times(bytes) {
  const ticks = Float64Array.from(new Uint32Array(bytes.buffer));
  for (let i = 1; i < ticks.length; i++) ticks[i] += ticks[i - 1];
  return ticks;
}

/** Positions in steps, x and y of each joint of each frame. */
function positions(bytes, width) {
  const count = bytes.length / 2;
  const found = new Int16Array(count);
  for (let i = 0; i < count; i++) {
    const folded = bytes[i] | (bytes[count + i] << 8);
    found[i] = (i < width ? 0 : found[i - width]) + ((folded >>> 1) ^ -(folded & 1));
  }
  return found;
}

/** The least and the greatest of 1, 2, 4, ... neighbours, so that any stretch is drawn from a few of them. */
function pyramid(values) {
  const levels = [{ low: values, high: values }];
  while (levels.at(-1).low.length > 256) {
    const { low, high } = levels.at(-1);
    const size = Math.ceil(low.length / 2);
    const next = { low: new Uint8Array(size), high: new Uint8Array(size) };
    for (let i = 0; i < size; i++) {
      const j = Math.min(2 * i + 1, low.length - 1);
      next.low[i] = Math.min(low[2 * i], low[j]);
      next.high[i] = Math.max(high[2 * i], high[j]);
    }
    levels.push(next);
  }
  return levels;
}

const JOINTS = data.body.joint_names.length;
const ticks = times(await unpack(data.time));
const prob = await unpack(data.prob);
const uncertain = await unpack(data.uncertain);
const place = positions(await unpack(data.body.positions), 2 * JOINTS);
const sight = await unpack(data.body.sight);
const FRAMES = prob.length;
const nobody = new Uint8Array(FRAMES).fill(1);
for (let i = 0; i < sight.length; i++) if (sight[i]) nobody[Math.floor(i / JOINTS)] = 0;
const probLevels = pyramid(prob);

const secondsOf = (frame) => ticks[frame] / data.ticks;

/** How many frames begin before a tick. */
function framesBefore(tick) {
  let low = 0;
  let high = FRAMES + 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ticks[middle] < tick) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The frame that is seen at a time. */
const frameAt = (seconds) => clamp(framesBefore(seconds * data.ticks + 1e-6) - 1, 0, FRAMES - 1);
/** The first frame that begins at a time or later, as labels count; ticks are rounded down. */
const frameFrom = (seconds) => clamp(framesBefore(Math.round(seconds * data.ticks) - 1), 0, FRAMES);

// ---------------------------------------------------------------- Events

const REST = data.classes[0]; // the name of what is no event; its stretches give way to events
const names = [...data.classes]; // and what label files bring
const ofData = (rows) => (rows ?? []).map(([start, end, label]) => ({ start, end, label: data.classes[label] }));
const found = ofData(data.found);
const labelled = ofData(data.labelled);

const at = (events, frame) => events.find((one) => one.start <= frame && frame < one.end);

/** The frames around an anchor that an event with a label may take: those up to the next events of its kind. */
function room(others, anchor, label) {
  let [low, high] = [0, FRAMES];
  for (const one of others) {
    if (one.label === REST && label !== REST) continue;
    if (one.start <= anchor) low = Math.max(low, one.end);
    else high = Math.min(high, one.start);
  }
  return [low, high];
}

/** Events with one more, or with one in place of `old`; null where there is no room for it. */
function put(events, wanted, anchor, old = null) {
  const others = events.filter((one) => one !== old);
  const [low, high] = room(others, anchor, wanted.label);
  if (high <= low || anchor < low) return null;
  const start = clamp(wanted.start, low, high - 1);
  const event = { start, end: clamp(wanted.end, start + 1, high), label: wanted.label };
  const kept = others.flatMap((one) =>
    one.end <= event.start || one.start >= event.end
      ? [one]
      : [{ ...one, end: event.start }, { ...one, start: event.end }].filter((part) => part.start < part.end),
  );
  return { events: [...kept, event].sort((a, b) => a.start - b.start), event };
}

/** The parts of events that lie in the frames that one is asked to label: all, unless it says which. */
const asked = ofData(data.asked ?? [[0, FRAMES, 0]]);
const within = (events) =>
  asked.flatMap(({ start, end }) =>
    events
      .map((one) => ({ ...one, start: Math.max(one.start, start), end: Math.min(one.end, end) }))
      .filter((one) => one.start < one.end),
  );

/** Stretches of these frames in no event. */
function gaps(events) {
  const edges = [0, ...events.flatMap((one) => [one.start, one.end]), FRAMES];
  const free = [];
  for (let i = 0; i < edges.length; i += 2) {
    if (edges[i] < edges[i + 1]) free.push({ start: edges[i], end: edges[i + 1], label: REST });
  }
  return within(free);
}

/** Events as one works on them: where they and stretches without one cover all, that is one flag. */
function workOf(events) {
  const whole = !gaps(events).length && events.some((one) => one.label === REST);
  return whole ? { events: events.filter((one) => one.label !== REST), rest: true } : { events, rest: false };
}

// ---------------------------------------------------------------- Label files

const quoted = (text) => (/[",;\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
const escaped = (text) =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]);
const time = (frame) => secondsOf(frame).toFixed(4);

const FORMATS = {
  CSV: { ending: '.csv', write: csvText },
  Audacity: { ending: '.txt', write: audacityText },
  ELAN: { ending: '.eaf', write: elanText },
  BORIS: { ending: '.csv', write: borisText },
};

function csvText(rows) {
  const lines = rows.map((r) => `${quoted(data.name)},${time(r.start)},${time(r.end)},${quoted(r.label)}\n`);
  return `video,start,end,label\n${lines.join('')}`;
}

function audacityText(rows) {
  return rows.map((r) => `${time(r.start)}\t${time(r.end)}\t${r.label}\n`).join('');
}

function elanText(rows) {
  const milliseconds = (frame) => Math.floor((ticks[frame] * 1000) / data.ticks);
  const slot = (n, frame) => `<TIME_SLOT TIME_SLOT_ID="ts${n}" TIME_VALUE="${milliseconds(frame)}"/>`;
  const slots = rows.map((r, i) => slot(2 * i, r.start) + slot(2 * i + 1, r.end)).join('\n');
  const annotation = (r, i) =>
    `<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a${i}" TIME_SLOT_REF1="ts${2 * i}" ` +
    `TIME_SLOT_REF2="ts${2 * i + 1}"><ANNOTATION_VALUE>${escaped(r.label)}</ANNOTATION_VALUE>` +
    '</ALIGNABLE_ANNOTATION></ANNOTATION>';
  return `<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="" DATE="${new Date().toISOString()}" FORMAT="3.0" VERSION="3.0">
<HEADER MEDIA_FILE="" TIME_UNITS="milliseconds"/>
<TIME_ORDER>
${slots}
</TIME_ORDER>
<TIER LINGUISTIC_TYPE_REF="default" TIER_ID="events">
${rows.map(annotation).join('\n')}
</TIER>
<LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="default" TIME_ALIGNABLE="true" GRAPHIC_REFERENCES="false"/>
</ANNOTATION_DOCUMENT>
`;
}

/** The tabular export: a row for each start and one for each stop. */
function borisText(rows) {
  const line = (frame, row, status) =>
    `${time(frame)},${quoted(data.name)},${time(FRAMES)},${data.fps},,${quoted(row.label)},,,${status}\n`;
  const lines = rows.map((row) => line(row.start, row, 'START') + line(row.end, row, 'STOP'));
  const header = 'Time,Media file path,Total length,FPS,Subject,Behavior,Behavioral category,Comment,Status';
  return `${header}\n${lines.join('')}`;
}

/** Rows of [start, end, label] in seconds, of a file of one of the formats; throws what is wrong with it. */
function readLabels(text) {
  if (text.includes('<ANNOTATION_DOCUMENT')) return readElan(text);
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/).filter((line) => line.trim());
  if (/^\s*-?[\d.,]+\t-?[\d.,]+(\t|$)/.test(lines[0] ?? '')) {
    const parts = lines.filter((line) => !line.startsWith('\\')).map((line) => line.split('\t'));
    return parts.map(([start, end, label]) => [start.replace(',', '.'), end.replace(',', '.'), label]);
  }
  const boris = lines.findIndex((line) => /^"?Time"?,.*,"?Status"?$/.test(line));
  if (boris >= 0) return readBoris(lines.slice(boris).map(cells));
  const header = cells(lines[0] ?? '').map((name) => name.trim().toLowerCase());
  const columns = ['start', 'end', 'label'].map((name) => header.indexOf(name));
  if (columns.includes(-1)) throw new Error('expected a CSV with the columns start, end and label, in seconds');
  const video = header.indexOf('video');
  const rows = lines.slice(1).map(cells);
  const own = video < 0 ? rows : rows.filter((row) => row[video] === data.name);
  if (rows.length && !own.length) throw new Error(`found no row of video ${data.name}`);
  // A row that names the video alone says that it has no events.
  return own.map((row) => columns.map((column) => row[column] ?? '')).filter((row) => row.some(Boolean));
}

function readBoris([header, ...rows]) {
  const [times, labels, states] = ['Time', 'Behavior', 'Status'].map((name) => header.indexOf(name));
  const open = {};
  const found = [];
  for (const row of rows) {
    const label = row[labels];
    if (row[states] === 'START') open[label] = row[times];
    else if (row[states] === 'STOP') found.push([open[label], row[times], label]);
  }
  return found;
}

/** The cells of a line of a CSV, in quotes or not. */
function cells(line) {
  return [...`,${line}`.matchAll(/[,;](?:"((?:[^"]|"")*)"|([^,;]*))/g)].map(
    ([, inside, plain]) => inside?.replaceAll('""', '"') ?? plain,
  );
}

function readElan(text) {
  const root = new DOMParser().parseFromString(text, 'text/xml');
  const slots = {};
  for (const slot of root.querySelectorAll('TIME_SLOT')) {
    slots[slot.getAttribute('TIME_SLOT_ID')] = slot.getAttribute('TIME_VALUE') / 1000;
  }
  return [...root.querySelectorAll('ALIGNABLE_ANNOTATION')].map((one) => [
    slots[one.getAttribute('TIME_SLOT_REF1')], slots[one.getAttribute('TIME_SLOT_REF2')], one.textContent.trim(),
  ]);
}

/** The events of rows, and how many of them were cut or left out. */
function eventsOf(rows) {
  let events = [];
  let changed = 0;
  for (const [start, end, label] of rows) {
    const wanted = { start: frameFrom(Number(start)), end: frameFrom(Number(end)), label: String(label).trim() };
    if (![start, end].every((value) => Number(value) >= 0) || !wanted.label) {
      throw new Error(`found "${start}, ${end}, ${label}", expected seconds and a name`);
    }
    const done = wanted.start < wanted.end && put(events, wanted, wanted.start);
    if (!done || done.event.end < wanted.end) changed++;
    if (done) events = done.events;
  }
  return { events, changed };
}

// ---------------------------------------------------------------- Work, and where it is kept

const KEY = `posevid-review ${data.identity}`;
const begun = workOf(labelled.length ? labelled : within(found));
let work = begun;
let past = [];
let future = [];
let selected = null;

/** Makes a change that can be undone; `before` is what it is undone to. */
function change(next, event = null, before = work) {
  past.push(before);
  future = [];
  become(next, event);
}

function become(next, event) {
  work = next;
  selected = event;
  say('');
  for (const one of work.events) if (!names.includes(one.label)) names.push(one.label);
  keep();
  showWork();
}

function keep() {
  try {
    if (work === begun) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, JSON.stringify({ ...work, kept: Date.now() }));
  } catch {
    say('This browser keeps nothing: save a file before you close the page.');
  }
}

function restore() {
  let kept = null;
  try {
    kept = JSON.parse(localStorage.getItem(KEY));
  } catch {
    // nothing that can be read
  }
  if (!Array.isArray(kept?.events)) return;
  const when = new Date(kept.kept).toLocaleString();
  byId('restored').firstElementChild.textContent = `Your work of ${when} is here again, ${count(kept.events.length)}.`;
  byId('restored').hidden = false;
  past = [begun];
  become({ events: kept.events, rest: kept.rest }, null);
}

const count = (n) => `${n} ${n === 1 ? 'event' : 'events'}`;

// ---------------------------------------------------------------- What is shown

let frame = 0;
let playing = false;
let clockNow = 0; // when the last picture was drawn, milliseconds
let seconds = 0; // where a playing recording is
let filmSeconds = null; // the middle of the picture that a playing video shows, where browsers tell
let closeUp = true;
let view = { from: 0, to: Math.min(FRAMES, Math.max(Math.round(60 * data.fps), 2)) }; // frames on the timeline
let drag = null;
let scheduled = false;
const video = document.createElement('video');
video.muted = true;
video.playsInline = true;
const filmed = () => video.readyState >= 2;

const stage = byId('stage');
const timeline = byId('timeline');
const overview = byId('overview');
// Both without the playhead, and drawn only when something else changes.
const overviewPicture = document.createElement('canvas');
const timelinePicture = document.createElement('canvas');
let timelineOf = []; // what the picture of the timeline shows
const GUTTER = 90;
const ROWS = [
  { name: '', height: 20 },
  { name: 'probability', height: 84 },
  { name: 'yours', height: 34, events: () => work.events },
  ...(data.asked ? [{ name: 'to label', height: 14, events: () => asked }] : []),
  { name: 'found', height: 20, events: () => found },
  ...(data.labelled ? [{ name: 'labelled', height: 20, events: () => labelled }] : []),
  { name: 'not seen well', height: 14, flags: pyramid(uncertain) },
  { name: 'no pose', height: 14, flags: pyramid(nobody) },
];
let top = 0;
for (const row of ROWS) {
  row.top = top;
  top += row.height;
}
const HEIGHT = top + 4;
const YOURS = ROWS[2];
let ink = {};

function readColors() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ['paper', 'ink', 'quiet', 'line', 'stripe', 'care', 'alarm']) {
    ink[name] = style.getPropertyValue(`--${name}`).trim();
  }
}

const colorOf = (label) =>
  label === REST ? ink.quiet : data.colors[(names.indexOf(label) - 1) % data.colors.length];

/** A canvas in the pixels of the screen; answers its context, in CSS pixels. */
function sized(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  canvas.getContext('2d').setTransform(ratio, 0, 0, ratio, 0, 0);
}

function layOut() {
  sized(stage, byId('screen').clientWidth, Math.round(0.5 * window.innerHeight));
  const wide = byId('time').clientWidth;
  sized(timeline, wide, HEIGHT);
  sized(timelinePicture, wide, HEIGHT);
  timelineOf = [];
  sized(overview, wide, 46);
  sized(overviewPicture, wide, 46);
  drawOverviewPicture();
  touch();
}

const css = (canvas) => [canvas.width, canvas.height].map((n) => n / (window.devicePixelRatio || 1));

/** Draws everything for the frame that is now. */
function draw() {
  drawStage();
  drawTimeline();
  drawOverview();
  byId('clock').textContent = `${clockText(secondsOf(frame))} / ${clockText(secondsOf(FRAMES))}, frame ${frame}`;
}

function clockText(s, digits = 2) {
  const [whole, part] = s.toFixed(digits).split('.');
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole / 60) % 60), whole % 60];
  const two = (n) => String(n).padStart(2, '0');
  return (hours ? `${hours}:${two(minutes)}` : minutes) + `:${two(rest)}${part ? `.${part}` : ''}`;
}

const SIDES = { left: data.colors[6], right: data.colors[5] };
const sideOf = (name) => (/(^|_)left(_|$)/.test(name) ? 'left' : /(^|_)right(_|$)/.test(name) ? 'right' : '');
const jointSide = data.body.joint_names.map(sideOf);

function drawStage() {
  const [width, height] = css(stage);
  const context = stage.getContext('2d');
  context.clearRect(0, 0, width, height);
  const shape = filmed() ? video.videoWidth / video.videoHeight : data.aspect;
  const [left, up, side] = closeUp ? data.body.box : [0, 0, 1];
  const high = Math.min(height, width / shape) / side; // of the whole picture, in pixels
  const wide = high * shape;
  const picture = [width / 2 - (left + side / 2) * wide, height / 2 - (up + side / 2) * high, wide, high];
  context.strokeStyle = ink.line;
  context.lineWidth = 1;
  context.strokeRect(...picture);
  if (filmed()) context.drawImage(video, ...picture);
  drawBody(context, picture, clamp(height / 110, 2, 5));
  drawBadge(context, height);
}

/** The body in a picture at a place of the stage: left, top, width, height. */
function drawBody(context, [left, up, wide, high], thick) {
  const first = frame * JOINTS;
  const x = (j) => left + place[2 * (first + j)] * data.step * wide;
  const y = (j) => up + place[2 * (first + j) + 1] * data.step * high;
  context.lineCap = 'round';
  for (const halo of filmed() ? [true, false] : [false]) {
    for (const [a, b] of data.body.bones) {
      const clear = Math.min(sight[first + a], sight[first + b]);
      if (!clear) continue;
      const same = jointSide[a] === jointSide[b] ? jointSide[a] : '';
      context.strokeStyle = halo ? 'rgba(0,0,0,.55)' : (SIDES[same] ?? (filmed() ? '#fff' : ink.ink));
      context.globalAlpha = halo ? 1 : [0, 0.3, 0.6, 1][clear];
      context.lineWidth = thick + (halo ? 2 : 0);
      context.beginPath();
      context.moveTo(x(a), y(a));
      context.lineTo(x(b), y(b));
      context.stroke();
    }
  }
  for (let j = 0; j < JOINTS; j++) {
    const clear = sight[first + j];
    if (!clear) continue;
    context.globalAlpha = [0, 0.3, 0.6, 1][clear];
    context.fillStyle = filmed() ? '#fff' : ink.ink;
    context.beginPath();
    context.arc(x(j), y(j), 0.75 * thick, 0, 7);
    context.fill();
  }
  context.globalAlpha = 1;
}

/** What is said of the frame, at the lower left of the stage. */
function drawBadge(context, height) {
  const own = at(work.events, frame);
  const said = [
    own ? [own.label, colorOf(own.label), '#10151c'] : null,
    [`${Math.round(prob[frame] / 2.55)} %`, ink.paper, ink.ink],
    nobody[frame] ? ['no pose', ink.paper, ink.alarm] : null,
    uncertain[frame] && !nobody[frame] ? ['not seen well', ink.paper, ink.care] : null,
  ].filter(Boolean);
  context.font = '600 14px system-ui, sans-serif';
  context.textBaseline = 'middle';
  let x = 12;
  for (const [text, behind, front] of said) {
    const wide = context.measureText(text).width + 18;
    context.fillStyle = behind;
    context.beginPath();
    context.roundRect(x, height - 38, wide, 26, 6);
    context.fill();
    context.fillStyle = front;
    context.fillText(text, x + 9, height - 24.5);
    x += wide + 6;
  }
}

const xOf = (f, width) => GUTTER + ((f - view.from) / (view.to - view.from)) * (width - GUTTER);
const frameAtX = (x, width) => view.from + ((x - GUTTER) / (width - GUTTER)) * (view.to - view.from);

function drawTimeline() {
  const [width] = css(timeline);
  const shown = [view, work, selected, drag?.making];
  if (shown.some((value, i) => value !== timelineOf[i]) || !timelineOf.length) drawTimelinePicture(width);
  timelineOf = shown;
  const context = timeline.getContext('2d');
  context.clearRect(0, 0, width, HEIGHT);
  context.drawImage(timelinePicture, 0, 0, width, HEIGHT);
  const x = xOf(frame + 0.5, width);
  if (x < GUTTER) return;
  context.fillStyle = ink.alarm;
  context.fillRect(x - 1, 0, 2, HEIGHT);
}

function drawTimelinePicture(width) {
  const context = timelinePicture.getContext('2d');
  context.clearRect(0, 0, width, HEIGHT);
  context.font = '12px system-ui, sans-serif';
  context.textBaseline = 'middle';
  for (const row of ROWS) {
    context.fillStyle = ink.quiet;
    context.fillText(row.name, 0, row.top + row.height / 2);
    if (row.name) {
      context.fillStyle = ink.stripe;
      context.fillRect(GUTTER, row.top + 2, width - GUTTER, row.height - 4);
    }
  }
  context.save();
  context.beginPath();
  context.rect(GUTTER, 0, width - GUTTER, HEIGHT);
  context.clip();
  drawRuler(context, width);
  drawCurve(context, ROWS[1].top + 6, ROWS[1].height - 12, view.from, view.to, GUTTER, width);
  for (const row of ROWS) {
    if (row.events) drawBars(context, row, width);
    if (row.flags) drawFlags(context, row.flags, row.top + 3, row.height - 6, view.from, view.to, GUTTER, width);
  }
  context.restore();
}

const TICK_SECONDS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 3600];

function drawRuler(context, width) {
  const [first, last] = [view.from, view.to].map((f) => secondsOf(clamp(Math.floor(f), 0, FRAMES)));
  const wanted = ((last - first) * 85) / (width - GUTTER);
  const step = TICK_SECONDS.find((s) => s >= wanted) ?? 7200;
  for (let n = Math.ceil(first / step); n * step <= last; n++) {
    const x = xOf(frameFrom(n * step), width);
    context.fillStyle = ink.line;
    context.fillRect(x, 14, 1, HEIGHT);
    context.fillStyle = ink.quiet;
    context.fillText(clockText(n * step, step < 1 ? 1 : 0), x + 4, 9);
  }
}

/** The level of a pyramid that has about two numbers for each pixel, and its part from a frame to another. */
function levelFor(levels, from, to, pixels) {
  const wanted = Math.floor(Math.log2(Math.max((to - from) / pixels, 1)));
  const level = Math.min(wanted, levels.length - 1);
  const size = 2 ** level;
  const first = Math.max(Math.floor(from / size) - 1, 0);
  const last = Math.min(Math.ceil(to / size) + 1, levels[level].low.length);
  return { ...levels[level], size, first, last };
}

function drawCurve(context, top, height, from, to, left, right) {
  const { low, high, size, first, last } = levelFor(probLevels, from, to, right - left);
  const x = (i) => left + (((i + 0.5) * size - from) / (to - from)) * (right - left);
  const y = (value) => top + (1 - value / 255) * height;
  context.strokeStyle = ink.quiet;
  context.lineWidth = 1;
  context.setLineDash([4, 3]);
  for (const limit of data.limits) {
    context.beginPath();
    context.moveTo(left, y(255 * limit));
    context.lineTo(right, y(255 * limit));
    context.stroke();
  }
  context.setLineDash([]);
  context.strokeStyle = context.fillStyle = data.colors[0];
  context.lineWidth = 1.5;
  context.lineJoin = 'bevel'; // round ones take several times as long
  if (size > 1) {
    const wide = (size / (to - from)) * (right - left) + 0.5;
    for (let i = first; i < last; i++) {
      context.fillRect(x(i) - wide / 2, y(high[i]) - 0.75, wide, y(low[i]) - y(high[i]) + 1.5);
    }
    return;
  }
  context.beginPath();
  for (let i = first; i < last; i++) context.lineTo(x(i), y(high[i]));
  context.stroke();
}

function drawFlags(context, levels, top, height, from, to, left, right) {
  const { high, size, first, last } = levelFor(levels, from, to, right - left);
  const x = (i) => left + ((i * size - from) / (to - from)) * (right - left);
  context.fillStyle = ink.quiet;
  for (let i = first; i < last; i++) {
    if (!high[i]) continue;
    const begin = i;
    while (i + 1 < last && high[i + 1]) i++;
    context.fillRect(x(begin), top, Math.max(x(i + 1) - x(begin), 1), height);
  }
}

function drawBars(context, row, width) {
  const bar = { top: row.top + 3, height: row.height - 6 };
  for (const one of row.events()) {
    if (one.end <= view.from || one.start >= view.to) continue;
    const [a, b] = [xOf(one.start, width), xOf(one.end, width)];
    const wide = Math.max(b - a, 2);
    context.globalAlpha = one.label === REST ? 0.25 : 1;
    context.fillStyle = colorOf(one.label);
    context.beginPath();
    if (wide < 4) context.rect(a, bar.top, wide, bar.height);
    else context.roundRect(a, bar.top, wide, bar.height, Math.min(4, wide / 2));
    context.fill();
    context.globalAlpha = 1;
    if (one === selected && row === YOURS) {
      context.strokeStyle = ink.ink;
      context.lineWidth = 2;
      context.stroke();
    }
    const shown = Math.max(a, GUTTER);
    if (row.height >= 20 && b - shown > context.measureText(one.label).width + 12) {
      context.fillStyle = one.label === REST ? ink.ink : '#10151c';
      context.fillText(one.label, shown + 6, bar.top + bar.height / 2 + 0.5);
    }
  }
  if (row === YOURS && drag?.making) {
    const { start, end } = drag.making;
    context.globalAlpha = 0.5;
    context.fillStyle = colorOf(labelChosen());
    context.fillRect(xOf(start, width), bar.top, xOf(end, width) - xOf(start, width), bar.height);
    context.globalAlpha = 1;
  }
}

function drawOverviewPicture() {
  const [width, height] = css(overviewPicture);
  const context = overviewPicture.getContext('2d');
  context.clearRect(0, 0, width, height);
  context.fillStyle = ink.stripe;
  context.fillRect(GUTTER, 0, width - GUTTER, height);
  drawCurve(context, 3, 24, 0, FRAMES, GUTTER, width);
  const x = (f) => GUTTER + (f / FRAMES) * (width - GUTTER);
  for (const one of work.events) {
    if (one.label === REST) continue;
    context.fillStyle = colorOf(one.label);
    context.fillRect(x(one.start), 31, Math.max(x(one.end) - x(one.start), 1.5), 8);
  }
  drawFlags(context, ROWS.at(-2).flags, 41, 3, 0, FRAMES, GUTTER, width);
}

function drawOverview() {
  const [width, height] = css(overview);
  const context = overview.getContext('2d');
  context.clearRect(0, 0, width, height);
  context.drawImage(overviewPicture, 0, 0, width, height);
  const x = (f) => GUTTER + (f / FRAMES) * (width - GUTTER);
  context.fillStyle = ink.quiet;
  context.font = '12px system-ui, sans-serif';
  context.textBaseline = 'middle';
  context.fillText('all', 0, height / 2);
  context.strokeStyle = ink.quiet;
  context.lineWidth = 1.5;
  context.strokeRect(x(view.from), 1, Math.max(x(view.to) - x(view.from), 3), height - 2);
  context.fillStyle = ink.alarm;
  context.fillRect(x(frame + 0.5) - 1, 0, 2, height);
}

/** Draws before the next picture of the screen. */
function touch() {
  if (!scheduled) requestAnimationFrame(tick);
  scheduled = true;
}

function tick(now) {
  scheduled = false;
  if (playing) {
    seconds = filmed() ? (filmSeconds ?? video.currentTime) : seconds + (speed() * (now - clockNow)) / 1000;
    clockNow = now;
    frame = frameAt(seconds);
    follow();
    if (video.ended || seconds >= secondsOf(FRAMES)) pause();
  }
  draw();
  if (playing) touch();
}

/** The events, the label and what can be done, after a change. */
function showWork() {
  const list = byId('list');
  list.replaceChildren(...work.events.map(listed));
  byId('empty').hidden = work.events.length > 0;
  const label = byId('label');
  const chosen = selected?.label ?? label.value ?? '';
  if (label.options.length !== names.length) label.replaceChildren(...names.map((name) => new Option(name)));
  label.value = names.includes(chosen) && chosen ? chosen : names[1];
  byId('rest').checked = work.rest;
  button('undo').disabled = !past.length;
  button('redo').disabled = !future.length;
  for (const name of ['start', 'end', 'delete']) button(name).disabled = !selected;
  list.querySelector('[aria-current=true]')?.scrollIntoView({ block: 'nearest' });
  drawOverviewPicture();
  touch();
}

function listed(one) {
  const item = document.createElement('li');
  item.style.borderColor = colorOf(one.label);
  const press = document.createElement('button');
  press.type = 'button';
  press.setAttribute('aria-current', one === selected);
  const parts = {
    when: clockText(secondsOf(one.start)),
    what: one.label,
    length: `${(secondsOf(one.end) - secondsOf(one.start)).toFixed(2)} s`,
  };
  press.setAttribute('aria-label', `${parts.what} at ${parts.when}, ${parts.length}`);
  for (const [name, text] of Object.entries(parts)) {
    const part = document.createElement('span');
    part.className = name;
    part.textContent = text;
    press.append(part);
  }
  press.addEventListener('click', () => select(one, true));
  item.append(press);
  return item;
}

const button = (name) => document.querySelector(`[data-do=${name}]`);
const speed = () => Number(byId('speed').value);
const labelChosen = () => byId('label').value;
const say = (text) => (byId('status').textContent = text);

// ---------------------------------------------------------------- Moving

function goTo(wanted) {
  frame = clamp(Math.round(wanted), 0, FRAMES - 1);
  seconds = secondsOf(frame);
  // The middle of a frame: browsers show the one before at its very beginning.
  if (filmed()) video.currentTime = (seconds + secondsOf(frame + 1)) / 2;
  follow();
  const slider = byId('time');
  slider.setAttribute('aria-valuenow', frame);
  const own = at(work.events, frame);
  slider.setAttribute(
    'aria-valuetext',
    `${clockText(seconds)}, ${own ? own.label : 'no event'}, probability ${Math.round(prob[frame] / 2.55)} %` +
      (nobody[frame] ? ', no pose' : uncertain[frame] ? ', not seen well' : ''),
  );
  touch();
}

/** Keeps the playhead on the timeline. */
function follow() {
  if (frame >= view.from && frame < view.to) return;
  look(frame - (playing ? 0.05 : 0.5) * (view.to - view.from), view.to - view.from);
}

/** Shows so many frames from one on. */
function look(from, length) {
  const long = clamp(length, Math.min(20, FRAMES), FRAMES);
  const first = clamp(from, 0, FRAMES - long);
  view = { from: first, to: first + long };
  touch();
}

function zoom(factor, around = frame) {
  const share = (around - view.from) / (view.to - view.from);
  const length = factor * (view.to - view.from);
  look(around - share * length, length);
}

function play() {
  if (playing) return pause();
  if (frame >= FRAMES - 1) goTo(0);
  playing = true;
  clockNow = performance.now();
  if (filmed()) {
    filmSeconds = null;
    video.playbackRate = speed();
    video.play();
    video.requestVideoFrameCallback?.(watch);
  }
  button('play').textContent = 'Pause';
  touch();
}

function watch(_, { mediaTime }) {
  filmSeconds = mediaTime + 0.5 / data.fps;
  if (playing) video.requestVideoFrameCallback(watch);
}

function pause() {
  playing = false;
  video.pause();
  button('play').textContent = 'Play';
  goTo(frame);
}

function step(frames) {
  if (playing) pause();
  goTo(frame + frames);
}

function stepSeconds(by) {
  if (playing) pause();
  goTo(frameFrom(Math.max(secondsOf(frame) + by, 0)));
}

function select(event, jump = false) {
  selected = event;
  if (jump && event) step(event.start - frame);
  showWork();
}

/** To the next stretch to label; after the last one, to the first. */
function toAsked() {
  step((asked.find((one) => one.start > frame) ?? asked[0]).start - frame);
}

function toEvent(direction) {
  const { events } = work;
  const next = direction > 0 ? events.find((one) => one.start > frame) : events.findLast((one) => one.start < frame);
  if (next) select(next, true);
}

// ---------------------------------------------------------------- Correcting

/** One event in place of another, as far as there is room; says so where there is none. */
function replace(old, changes, anchor = old.start) {
  const done = put(work.events, { ...old, ...changes }, anchor, old);
  if (done) change({ ...work, events: done.events }, done.event);
  else say(`There is no room for ${changes.label ?? old.label} here.`);
}

/** An event at the playhead: as it was found or labelled, otherwise a second. */
function add() {
  const like = at(found, frame) ?? at(labelled.filter((one) => one.label !== REST), frame);
  const wanted = like ?? { start: frame, end: frame + Math.round(data.fps), label: labelChosen() };
  make(wanted, frame);
}

function make(wanted, anchor) {
  const done = put(work.events, wanted, anchor);
  if (done) change({ ...work, events: done.events }, done.event);
  else say('There is an event here already; S splits it.');
}

function split() {
  const one = at(work.events, frame);
  if (!one || one.start === frame) return say('Put the playhead inside an event to split it.');
  const parts = [{ ...one, end: frame }, { ...one, start: frame }];
  const events = work.events.flatMap((other) => (other === one ? parts : [other]));
  change({ ...work, events }, parts[1]);
}

function remove() {
  if (selected) change({ ...work, events: work.events.filter((one) => one !== selected) });
}

function relabel(name) {
  byId('label').value = name;
  if (selected && selected.label !== name) replace(selected, { label: name });
}

function undo() {
  if (!past.length) return;
  future.push(work);
  become(past.pop(), null);
}

function redo() {
  if (!future.length) return;
  past.push(work);
  become(future.pop(), null);
}

function discard() {
  byId('restored').hidden = true;
  change(begun);
}

function save() {
  const { ending, write } = FORMATS[byId('format').value];
  const rows = work.rest ? [...work.events, ...gaps(work.events)] : [...work.events];
  rows.sort((a, b) => a.start - b.start);
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([write(rows)], { type: 'text/plain' }));
  link.download = data.name + ending;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  say(`${link.download}: ${count(work.events.length)}.`);
}

async function load(file) {
  try {
    const { events, changed } = eventsOf(readLabels(await file.text()));
    change(workOf(events));
    say(`${file.name}: ${count(events.length)}${changed ? `, ${changed} cut or left out` : ''}.`);
  } catch (error) {
    say(`${file.name}: ${error.message}.`);
  }
}

// ---------------------------------------------------------------- Keys and buttons

// name: keys, what it does, function. Buttons name theirs in data-do.
const ACTIONS = {
  play: [['Space'], 'play or pause', play],
  back: [['ArrowLeft'], 'a frame back', () => step(-1)],
  forth: [['ArrowRight'], 'a frame forward', () => step(1)],
  'second-back': [['Shift+ArrowLeft'], 'a second back', () => stepSeconds(-1)],
  'second-forth': [['Shift+ArrowRight'], 'a second forward', () => stepSeconds(1)],
  first: [['Home'], 'to the beginning', () => step(-frame)],
  last: [['End'], 'to the end', () => step(FRAMES)],
  previous: [['ArrowUp'], 'to your event before', () => toEvent(-1)],
  next: [['ArrowDown'], 'to your next event', () => toEvent(1)],
  asked: [data.asked ? ['n'] : [], 'to the next stretch to label', toAsked],
  add: [['a'], 'add an event at the playhead: the found one, otherwise a second', add],
  start: [['i', '['], 'the event starts with this frame', () => {
    if (selected) replace(selected, { start: Math.min(frame, selected.end - 1) }, selected.end - 1);
  }],
  end: [['o', ']'], 'the event ends with this frame', () => selected && replace(selected, { end: frame + 1 })],
  split: [['s'], 'split the event at the playhead', split],
  delete: [['Delete', 'Backspace'], 'delete the event', remove],
  undo: [['Ctrl+z'], 'undo', undo],
  redo: [['Ctrl+Shift+z', 'Ctrl+y'], 'redo', redo],
  save: [['Ctrl+s'], 'save your events to a file', save],
  in: [['+', '='], 'show less time', () => zoom(0.5)],
  out: [['-'], 'show more time', () => zoom(2)],
  'close-up': [['c'], 'the body close up, or the whole picture', () => {
    closeUp = !closeUp;
    button('close-up').setAttribute('aria-pressed', closeUp);
    touch();
  }],
  discard: [[], '', discard],
  'from-found': [[], '', () => change(workOf(within(found)))],
  'from-labelled': [[], '', () => change(workOf(labelled))],
};

function chord(event) {
  const letter = event.key === ' ' ? 'Space' : event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const control = event.ctrlKey || event.metaKey;
  const shifted = event.shiftKey && (control || letter.length > 1);
  return `${control ? 'Ctrl+' : ''}${shifted ? 'Shift+' : ''}${letter}`;
}

document.addEventListener('keydown', (event) => {
  const target = event.target.closest('input, select, button, summary');
  const pressed = chord(event);
  if (event.altKey && !'[]'.includes(event.key)) return;
  if (target?.matches('select, input') && !pressed.startsWith('Ctrl')) return;
  if (target && ['Space', 'Enter'].includes(pressed)) return;
  const action = Object.values(ACTIONS).find(([keys]) => keys.includes(pressed));
  if (action) action[2]();
  else if (/^\d$/.test(pressed) && names[pressed]) relabel(names[pressed]);
  else return;
  event.preventDefault();
});

for (const press of document.querySelectorAll('[data-do]')) {
  const [keys, what, act] = ACTIONS[press.dataset.do];
  if (keys.length) {
    press.title = `${what} (${keys.map(shownKey).join(' or ')})`;
    press.setAttribute('aria-keyshortcuts', keys.map((key) => key.replace('Ctrl', 'Control')).join(' '));
  }
  press.addEventListener('click', (event) => {
    act();
    if (event.detail) press.blur(); // after the mouse, Space plays again
  });
}

function shownKey(key) {
  return key.replace('Arrow', '').replace(/(?<=\+|^)[a-z]$/, (letter) => letter.toUpperCase());
}

const digits = names.slice(0, 10).map((name, n) => [[`${n}`], `label the event ${name}`]);
for (const [keys, what] of [...Object.values(ACTIONS), ...digits].filter(([own]) => own.length)) {
  const [term, description] = [document.createElement('dt'), document.createElement('dd')];
  term.textContent = keys.map(shownKey).join(', ');
  description.textContent = what;
  byId('keys').append(term, description);
}

for (const list of document.querySelectorAll('select')) {
  let mouse = false; // after the mouse, keys are for the page again
  list.addEventListener('pointerdown', () => (mouse = true));
  list.addEventListener('keydown', () => (mouse = false));
  list.addEventListener('change', () => mouse && list.blur());
}
byId('label').addEventListener('change', () => relabel(labelChosen()));
byId('speed').addEventListener('change', () => (video.playbackRate = speed()));
byId('rest').addEventListener('change', () => change({ ...work, rest: byId('rest').checked }, selected));

function onFile(id, act) {
  byId(id).addEventListener('change', (event) => {
    const [file] = event.target.files;
    if (file) act(file);
    event.target.value = ''; // the same file can be chosen again
  });
}
onFile('label-file', load);
onFile('video-file', (file) => {
  pause();
  URL.revokeObjectURL(video.src);
  video.src = URL.createObjectURL(file);
});
video.addEventListener('loadeddata', () => {
  const lengths = [video.duration, secondsOf(FRAMES)];
  const other = Math.abs(lengths[0] - lengths[1]) > 1;
  say(other ? `The video lasts ${lengths.map((s) => clockText(s, 1)).join(', the recording ')}: is it the same?` : '');
  if (closeUp) ACTIONS['close-up'][2]();
  layOut();
  goTo(frame);
});
video.addEventListener('seeked', touch);
video.addEventListener('error', () => say('This browser cannot play that video.'));

// ---------------------------------------------------------------- The mouse

const NEAR = 6; // pixels from an end that still take hold of it

/** What lies under the mouse on the row of your events: an event and which part of it. */
function under(x, y, width) {
  if (y < YOURS.top || y >= YOURS.top + YOURS.height) return null;
  let best = { distance: Infinity };
  for (const event of work.events) {
    const [a, b] = [xOf(event.start, width), xOf(event.end, width)];
    for (const [part, distance] of [['start', Math.abs(x - a)], ['end', Math.abs(x - b)]]) {
      const near = distance <= Math.min(NEAR, Math.max((b - a) / 3, 2));
      if (near && distance < best.distance) best = { event, part, distance };
    }
    if (best.distance > NEAR && x > a && x < b) best = { event, part: 'whole', distance: NEAR + 1 };
  }
  return best.event ? best : { part: 'none' };
}

timeline.addEventListener('pointerdown', (event) => {
  if (event.button) return;
  const [width] = css(timeline);
  timeline.setPointerCapture(event.pointerId);
  if (playing) pause();
  const hit = under(event.offsetX, event.offsetY, width);
  const from = clamp(Math.floor(frameAtX(event.offsetX, width)), 0, FRAMES - 1);
  drag = { hit, from, x: event.offsetX, before: work, moved: false };
  if (hit) select(hit.event ?? null);
  if (hit?.part !== 'start' && hit?.part !== 'end') goTo(from);
  byId('time').focus({ preventScroll: true });
  event.preventDefault();
});

timeline.addEventListener('pointermove', (event) => {
  const [width] = css(timeline);
  if (!drag) {
    const part = under(event.offsetX, event.offsetY, width)?.part;
    timeline.style.cursor = { start: 'ew-resize', end: 'ew-resize', whole: 'grab' }[part] ?? 'default';
    return;
  }
  if (Math.abs(event.offsetX - drag.x) > 3) drag.moved = true;
  if (drag.moved) dragTo(frameAtX(event.offsetX, width));
});

function dragTo(exact) {
  const { hit, from, before } = drag;
  const edge = clamp(Math.round(exact), 0, FRAMES);
  if (!hit) return goTo(Math.floor(exact));
  if (hit.part === 'none') {
    const [low, high] = room(work.events, from, labelChosen());
    drag.making = { start: clamp(Math.min(from, edge), low, high), end: clamp(Math.max(from + 1, edge), low, high) };
    return touch();
  }
  const old = hit.event;
  const by = Math.floor(exact) - from;
  const [low, high] = room(before.events.filter((one) => one !== old), old.start, old.label);
  const shift = clamp(by, low - old.start, high - old.end);
  const wanted = {
    start: { ...old, start: Math.min(edge, old.end - 1) },
    end: { ...old, end: Math.max(edge, old.start + 1) },
    whole: { ...old, start: old.start + shift, end: old.end + shift },
  }[hit.part];
  const done = put(before.events, wanted, old.start, old);
  if (!done) return;
  work = { ...before, events: done.events };
  selected = done.event;
  goTo(hit.part === 'end' ? done.event.end - 1 : done.event.start);
}

function drop(event) {
  if (!drag) return;
  const { before, making } = drag;
  drag = null;
  if (event.type === 'pointercancel') return become(before, null);
  if (making) make({ ...making, label: labelChosen() }, making.start);
  else if (work !== before) change(work, selected, before);
}
timeline.addEventListener('pointerup', drop);
timeline.addEventListener('pointercancel', drop);

timeline.addEventListener('wheel', (event) => {
  const [width] = css(timeline);
  const length = view.to - view.from;
  if (event.ctrlKey || event.metaKey) zoom(1.002 ** event.deltaY, frameAtX(event.offsetX, width));
  else if (event.shiftKey || event.deltaX) look(view.from + ((event.deltaX || event.deltaY) / width) * length, length);
  else return;
  event.preventDefault();
}, { passive: false });

function scrub(event) {
  const [width] = css(overview);
  const wanted = ((event.offsetX - GUTTER) / (width - GUTTER)) * FRAMES;
  const length = view.to - view.from;
  if (playing) pause();
  look(wanted - length / 2, length);
  goTo(wanted);
}
overview.addEventListener('pointerdown', (event) => {
  overview.setPointerCapture(event.pointerId);
  scrub(event);
});
overview.addEventListener('pointermove', (event) => event.buttons && scrub(event));

// ---------------------------------------------------------------- The beginning

byId('format').replaceChildren(...Object.keys(FORMATS).map((name) => new Option(name)));
byId('rest-text').textContent = `all else ${data.asked ? 'to label ' : ''}is ${REST}`;
byId('time').setAttribute('aria-valuemax', FRAMES - 1);
button('from-labelled').hidden = !data.labelled;
button('asked').hidden = !data.asked;
readColors();
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  readColors();
  layOut();
});
new ResizeObserver(layOut).observe(byId('screen'));
window.addEventListener('resize', layOut);
layOut();
showWork();
say('');
restore();
goTo(data.asked ? asked[0].start : (work.events[0]?.start ?? 0));
window.review = { draw, goTo, place, frames: FRAMES }; // for tests and benchmarks
