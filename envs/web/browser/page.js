// What is known of a page, and where its elements are: runs in a world of its own, which the page's scripts can not reach.
// Called by `tab.py`; what it returns is described in `elements.py`. Does nothing to the page unless it is asked to.
(() => {
  if (globalThis.agentgym) return; // a document whose first script runs late gets this twice
  const refs = new Map(), numbers = new WeakMap();
  let last = 0, home = 0;
  // In a frame of another origin ids count from a number of the frame's own, whose first use settles it.
  const begin = (number, span) => {
    if (!home) last = (home = number) * span;
    return home;
  };
  const SKIPPED = new Set(['SCRIPT', 'STYLE', 'NOSCRIPT', 'TEMPLATE', 'HEAD', 'META', 'LINK', 'BASE', 'TITLE', 'desc', 'defs', 'title', 'metadata']);
  const SHAPES = new Set(['rect', 'circle', 'ellipse', 'line', 'polygon', 'polyline', 'path', 'text', 'tspan', 'image']);
  const ROLES = {
    BUTTON: 'button', TEXTAREA: 'textbox', OPTION: 'option', OPTGROUP: 'group', LABEL: 'LabelText',
    H1: 'heading', H2: 'heading', H3: 'heading', H4: 'heading', H5: 'heading', H6: 'heading', IMG: 'img', UL: 'list',
    OL: 'list', LI: 'listitem', TABLE: 'table', TR: 'row', TD: 'cell', TH: 'columnheader', NAV: 'navigation', MAIN: 'main',
    DIALOG: 'dialog', DETAILS: 'group', SUMMARY: 'DisclosureTriangle', PROGRESS: 'progressbar', METER: 'meter',
    FIELDSET: 'group', LEGEND: 'Legend', IFRAME: 'Iframe', CANVAS: 'Canvas', HR: 'separator', FORM: 'form', CODE: 'code',
    ARTICLE: 'article', ASIDE: 'complementary', VIDEO: 'Video', AUDIO: 'Audio', BLOCKQUOTE: 'blockquote', PRE: 'code',
  };
  const INPUTS = {
    button: 'button', submit: 'button', reset: 'button', image: 'button', checkbox: 'checkbox', radio: 'radio',
    range: 'slider', number: 'spinbutton', search: 'searchbox', date: 'Date', time: 'InputTime', color: 'ColorWell',
    'datetime-local': 'DateTime', month: 'DateTime', week: 'DateTime', file: 'FileUpload',
  };
  const ACTIVE = new Set([
    'button', 'link', 'textbox', 'searchbox', 'checkbox', 'radio', 'slider', 'spinbutton', 'combobox', 'listbox', 'option',
    'menuitem', 'menuitemcheckbox', 'menuitemradio', 'tab', 'treeitem', 'switch', 'Date', 'InputTime', 'ColorWell',
    'DateTime', 'FileUpload', 'DisclosureTriangle', 'Canvas', 'gridcell',
  ]);
  const NATIVE = new Set(['date', 'time', 'datetime-local', 'month', 'week', 'color', 'range']);
  const squeeze = (text, most = 500) => {
    const flat = text.replace(/\s+/g, ' ').trim();
    return flat.length > most ? flat.slice(0, most) + '…' : flat;
  };
  const clip = (text) => (text.length > 4000 ? text.slice(0, 4000) + '…' : text);
  const number = (el) => {
    let ref = numbers.get(el);
    if (ref === undefined) {
      ref = ++last;
      numbers.set(el, ref);
      refs.set(ref, new WeakRef(el));
    }
    return ref;
  };
  const roleOf = (el) => {
    const given = el.getAttribute('role');
    if (given && given !== 'presentation' && given !== 'none') return given.split(' ')[0];
    const tag = el.tagName;
    if (tag === 'INPUT') return INPUTS[el.type] || 'textbox';
    if (tag === 'A' || tag === 'AREA') return el.hasAttribute('href') ? 'link' : '';
    if (tag === 'P') return 'paragraph';
    if (tag === 'SELECT') return el.multiple || el.size > 1 ? 'listbox' : 'combobox';
    if (SHAPES.has(tag) && el.ownerSVGElement) return tag;
    if (el.isContentEditable && !(el.parentElement && el.parentElement.isContentEditable)) return 'textbox';
    return given ? '' : ROLES[tag] || '';
  };
  const textOf = (id, el) => (el.getRootNode().getElementById(id) || {}).textContent || '';
  const nameOf = (el, role) => {
    const by = el.getAttribute('aria-labelledby');
    const said = (by && by.split(/\s+/).map((id) => textOf(id, el)).join(' ')) || el.getAttribute('aria-label');
    if (said) return squeeze(said);
    if (el.tagName === 'INPUT' && role === 'button') return squeeze(el.value || el.alt || el.title || el.type);
    if (el.tagName === 'OPTION') return squeeze(el.label || el.text);
    const label = el.labels && el.labels.length ? [...el.labels].map((each) => each.innerText).join(' ').trim() : '';
    return squeeze(label || el.getAttribute('alt') || el.getAttribute('title') || el.getAttribute('placeholder') || '');
  };
  const valueOf = (el) => {
    const tag = el.tagName;
    if (tag === 'SELECT') return squeeze([...el.selectedOptions].map((each) => each.label || each.text).join(', '));
    if (tag === 'TEXTAREA') return clip(el.value);
    if (tag === 'PROGRESS' || tag === 'METER') return String(el.value);
    if (tag !== 'INPUT' || ['checkbox', 'radio', 'button', 'submit', 'reset', 'image'].includes(el.type)) return null;
    return el.type === 'password' ? '•'.repeat(el.value.length) : clip(el.value);
  };
  const statesOf = (el, role, active) => {
    const states = [];
    const aria = (name) => el.getAttribute('aria-' + name);
    if (role === 'heading') states.push('level=' + (aria('level') || el.tagName[1] || ''));
    if (el.matches(':disabled') || aria('disabled') === 'true') states.push('disabled');
    if (el.checked && role !== 'option') states.push('checked');
    else if (['true', 'mixed'].includes(aria('checked'))) states.push('checked');
    if ((role === 'option' && el.selected) || aria('selected') === 'true') states.push('selected');
    const open = el.tagName === 'SUMMARY' ? String(el.parentElement.open) : aria('expanded');
    if (open) states.push(open === 'true' ? 'expanded' : 'collapsed');
    if (aria('pressed') === 'true') states.push('pressed');
    if (el.required || aria('required') === 'true') states.push('required');
    if (el.readOnly && role === 'textbox') states.push('readonly');
    if (el.type === 'password') states.push('password');
    if (active) states.push('focused');
    return states;
  };

  // What its maker called an element that says nothing itself, an icon say.
  const hint = (el) => (el.id ? ['id=' + el.id] : el.classList.length ? ['class=' + el.classList] : []);

  // Where the content of a frame begins whose box begins at `x`, `y`.
  const inset = (el, [x, y]) => {
    const style = getComputedStyle(el);
    return [x + el.clientLeft + Math.round(parseFloat(style.paddingLeft)), y + el.clientTop + Math.round(parseFloat(style.paddingTop))];
  };

  // The tree in reading order: rows [depth, ref, role, name, value, states, box, colour]; text is a row without children.
  class Walk {
    constructor(most) {
      this.most = most;
      this.rows = [];
      this.foreign = [];
      this.cut = false;
    }
    text(value, el, depth) {
      const flat = squeeze(value, 4000);
      if (!flat) return;
      const before = this.rows[this.rows.length - 1];
      if (before && before[2] === 'StaticText' && before[1] === number(el) && before[0] === depth) before[3] += ' ' + flat;
      else this.row(depth, number(el), 'StaticText', flat, null, [], this.box(el), '');
    }
    row(...row) {
      if (this.rows.length >= this.most) this.cut = true;
      else this.rows.push(row);
    }
    box(el) {
      const rect = el.getBoundingClientRect();
      let { x, y } = rect;
      for (let frame = el.ownerDocument.defaultView.frameElement; frame; frame = frame.ownerDocument.defaultView.frameElement) {
        const outer = frame.getBoundingClientRect(), [left, top] = inset(frame, [outer.x, outer.y]);
        x += left;
        y += top;
      }
      return [Math.round(x), Math.round(y), Math.round(rect.width), Math.round(rect.height)];
    }
    children(el, depth, written = true) {
      for (const child of (el.shadowRoot || el).childNodes) {
        if (this.cut) return;
        if (child.nodeType === 3) written && this.text(child.data, el, depth);
        else if (child.nodeType === 1) {
          if (child.tagName !== 'SLOT') this.element(child, depth);
          else for (const given of child.assignedNodes({ flatten: true }))
            given.nodeType === 3 ? this.text(given.data, el, depth) : given.nodeType === 1 && this.element(given, depth);
        }
      }
    }
    element(el, depth) {
      if (SKIPPED.has(el.tagName) || el.getAttribute('aria-hidden') === 'true' || this.cut) return;
      const style = getComputedStyle(el);
      if (style.display === 'none') return;
      if (style.visibility !== 'visible' && el.tagName !== 'OPTION') return this.children(el, depth, false);
      // A label says what the control is called, which the control says, too.
      if (el.tagName === 'LABEL' && el.control && el.control.checkVisibility()) return this.children(el, depth, false);
      const role = roleOf(el);
      const parent = el.parentElement;
      const pointer = style.cursor === 'pointer' && !(parent && getComputedStyle(parent).cursor === 'pointer');
      const clickable = !ACTIVE.has(role) &&
        (pointer || el.hasAttribute('onclick') || el.tabIndex >= 0 && el.hasAttribute('tabindex'));
      if (!role && !clickable) {
        const before = this.rows.length;
        this.children(el, depth);
        if (this.rows.length === before) this.blank(el, style, depth);
        return;
      }
      this.named(el, role || 'generic', clickable, style, depth);
    }
    named(el, role, clickable, style, depth) {
      const at = this.rows.length;
      const active = el.getRootNode().activeElement === el && el !== document.body;
      const states = statesOf(el, role, active);
      if (clickable) states.push('clickable');
      const shape = SHAPES.has(role);
      const box = this.box(el);
      if (shape && !box[2] && !box[3]) return;
      const colour = !shape ? '' : style.fill === 'none' || el.tagName === 'line' ? style.stroke : style.fill;
      this.row(depth, number(el), role, nameOf(el, role), valueOf(el), states, box, colour);
      if (this.cut) return;
      if (el.tagName === 'IFRAME') return this.frame(el, depth + 1);
      if (el.tagName === 'TEXTAREA' || el.tagName === 'INPUT' || el.tagName === 'OPTION') return;
      this.children(el, depth + 1);
      this.settle(el, at, role, clickable, style);
    }
    // Now that it is known what is inside: what is only text becomes the name; what is nothing by itself is left out.
    settle(el, at, role, clickable, style) {
      const row = this.rows[at], inside = this.rows.slice(at + 1);
      const said = inside.filter((each) => each[2] === 'StaticText');
      const whole = ACTIVE.has(role) || role === 'listitem'; // its icons are its own
      const idle = (each) => whole && each[2] === 'generic' && !each[3] && !each[5].includes('clickable');
      const parts = role === 'generic' && new Set(said.map((each) => each[1])).size > 1; // may well mean different things
      if (said.length && !parts && inside.every((each) => each[2] === 'StaticText' || idle(each))) {
        const text = squeeze(said.map((each) => each[3]).join(' '), 4000);
        if (role === 'textbox') row[4] = text;
        else if (!row[3] || !ACTIVE.has(role)) row[3] = text;
        this.rows.length = at + 1;
      } else if (role === 'paragraph') {
        this.rows.splice(at, 1);
        for (const each of inside) each[0] -= 1;
      } else if (!inside.length && !row[3] && !ACTIVE.has(role) && !clickable && !SHAPES.has(role) && role !== 'img') {
        this.rows.length = at;
        this.blank(el, style, row[0]);
      } else if (!row[3] && !inside.length && !ACTIVE.has(role) && !SHAPES.has(role)) row[5].push(...hint(el));
    }
    // Nothing but a colour or a picture: still something that can be meant, and clicked.
    blank(el, style, depth) {
      const rect = el.getBoundingClientRect();
      if (rect.width < 4 || rect.height < 4 || el.children.length || el.namespaceURI.endsWith('svg')) return;
      const colour = style.backgroundColor === 'rgba(0, 0, 0, 0)' ? '' : style.backgroundColor;
      const picture = style.backgroundImage !== 'none' || style.content.startsWith('url');
      if (!colour && !picture && !parseFloat(style.borderTopWidth)) return;
      this.row(depth, number(el), 'generic', nameOf(el, ''), null, hint(el), this.box(el), colour);
    }
    frame(el, depth) {
      const inner = el.contentDocument; // null for another origin
      if (inner && inner.body) return this.children(inner.body, depth);
      if (!inner && el.contentWindow) this.foreign.push([number(el), ...inset(el, this.box(el))]);
    }
  }

  const look = (most) => {
    const walk = new Walk(most);
    if (document.body) walk.children(document.body, 0);
    const root = document.documentElement;
    return JSON.stringify({
      url: location.href, title: document.title, rows: walk.rows, foreign: walk.foreign, cut: walk.cut, scroll: [Math.round(scrollX), Math.round(scrollY)],
      size: [innerWidth, innerHeight, root ? root.scrollWidth : 0, root ? root.scrollHeight : 0],
    });
  };

  const element = (ref) => {
    const el = refs.has(ref) ? refs.get(ref).deref() : undefined;
    if (!refs.has(ref)) throw new Error(`there is no element [${ref}] on this page`);
    if (!el || !el.isConnected) throw new Error(`element [${ref}] is gone: the page has changed`);
    return el;
  };
  const usable = (ref, enabled = true) => {
    const el = element(ref);
    if (enabled && el.matches(':disabled')) throw new Error(`element [${ref}] is disabled`);
    if (!el.checkVisibility({ visibilityProperty: true })) throw new Error(`element [${ref}] is hidden`);
    return el;
  };
  const hit = (x, y, root) => {
    const found = root.elementFromPoint(x, y);
    return found && found.shadowRoot && found.shadowRoot !== root ? hit(x, y, found.shadowRoot) || found : found;
  };
  const within = (el, other) => {
    for (let at = other; at; at = at.parentNode || at.host) if (at === el) return true;
    return false;
  };
  const reaches = (el, x, y) => {
    const found = hit(x, y, el.ownerDocument);
    if (!found) return null;
    const label = found.closest && found.closest('label');
    return within(el, found) || (label && label.control === el) || (el.control && within(el.control, found)) ? true : found;
  };
  // Where to point to hit element `ref`, in the viewport of the whole page.
  const aim = (ref, enabled = true) => {
    const el = usable(ref, enabled);
    if (el.tagName === 'OPTION' && el.closest('select')) throw new Error(`element [${ref}] is an option: use select_option on its list`);
    el.scrollIntoView({ block: 'nearest', inline: 'nearest', behavior: 'instant' });
    const rect = [...el.getClientRects()].find((each) => each.width > 0 && each.height > 0);
    if (!rect) throw new Error(`element [${ref}] has no size on the screen`);
    let over = null;
    for (const [right, down] of [[0.5, 0.5], [0.25, 0.5], [0.75, 0.5], [0.5, 0.2], [0.5, 0.8], [0.1, 0.1], [0.9, 0.9]]) {
      const x = rect.x + rect.width * right, y = rect.y + rect.height * down;
      const found = reaches(el, x, y);
      if (found === true) return out(el, x, y);
      over = over || found;
    }
    throw new Error(over ? `element [${ref}] is covered by ${describe(over)}` : `element [${ref}] can not be brought into view`);
  };
  const out = (el, x, y) => {
    for (let frame = el.ownerDocument.defaultView.frameElement; frame; frame = frame.ownerDocument.defaultView.frameElement) {
      const outer = frame.getBoundingClientRect(), [left, top] = inset(frame, [outer.x, outer.y]);
      x += left;
      y += top;
      const found = hit(x, y, frame.ownerDocument);
      if (found !== frame) throw new Error(`the frame around it is covered by ${found ? describe(found) : 'nothing in view'}`);
    }
    return [x, y];
  };
  // Where point `x`, `y` of the frame in element `ref` is in the viewport of the whole page; it is brought into view.
  const through = (ref, x, y) => {
    const el = usable(ref), view = el.ownerDocument.defaultView;
    const place = () => {
      const rect = el.getBoundingClientRect(), [left, top] = inset(el, [rect.x, rect.y]);
      return [left + x, top + y];
    };
    el.scrollIntoView({ block: 'nearest', inline: 'nearest', behavior: 'instant' });
    let at = place();
    const outside = at[0] < 0 || at[1] < 0 || at[0] >= view.innerWidth || at[1] >= view.innerHeight;
    if (outside) view.scrollBy({ left: at[0] - view.innerWidth / 2, top: at[1] - view.innerHeight / 2, behavior: 'instant' });
    at = place();
    const found = hit(...at, el.ownerDocument);
    if (found !== el) throw new Error(`the frame around it is covered by ${found ? describe(found) : 'nothing in view'}`);
    return out(el, ...at);
  };
  const describe = (el) => `[${number(el)}] ${roleOf(el) || el.tagName.toLowerCase()}`;

  // Focus a field with its content selected. "typed": text is to be typed; "native": set with `put`.
  const edit = (ref) => {
    const el = usable(ref);
    if (el.tagName === 'INPUT' && el.type === 'file') throw new Error(`element [${ref}] takes a file: use upload_file`);
    const typed = el.tagName === 'TEXTAREA' || (el.tagName === 'INPUT' && !['checkbox', 'radio', 'button', 'submit', 'reset', 'image'].includes(el.type));
    if (!typed && !el.isContentEditable) throw new Error(`element [${ref}] is no field that can be filled`);
    if (el.readOnly) throw new Error(`element [${ref}] is read-only`);
    el.scrollIntoView({ block: 'nearest', inline: 'nearest', behavior: 'instant' });
    el.focus();
    if (el.tagName === 'INPUT' && NATIVE.has(el.type)) return 'native';
    if (typed) el.select();
    else getSelection().selectAllChildren(el);
    return 'typed';
  };
  // A field that takes files, to be given `count` of them from outside.
  const picker = (ref, count) => {
    const el = element(ref);
    if (el.tagName !== 'INPUT' || el.type !== 'file') throw new Error(`element [${ref}] takes no files`);
    if (el.matches(':disabled')) throw new Error(`element [${ref}] is disabled`);
    if (count > 1 && !el.multiple) throw new Error(`element [${ref}] takes one file`);
    return el;
  };
  const tell = (el) => {
    el.dispatchEvent(new Event('input', { bubbles: true, composed: true }));
    el.dispatchEvent(new Event('change', { bubbles: true }));
  };
  const put = (ref, value) => {
    const el = usable(ref);
    el.value = value;
    if (el.value !== value && el.type !== 'range' && el.type !== 'color')
      throw new Error(`${JSON.stringify(value)} is no value for element [${ref}], a field for a ${el.type} (dates: 2027-06-15; times: 13:45)`);
    tell(el);
  };
  const choose = (ref, wanted) => {
    const el = usable(ref);
    if (el.tagName !== 'SELECT') throw new Error(`element [${ref}] is no list to select from`);
    const all = [...el.options];
    const found = wanted.map((each) => all.find((option) => option.label === each || option.value === each || squeeze(option.text) === squeeze(each)));
    const missing = found.indexOf(undefined);
    if (missing >= 0) throw new Error(`element [${ref}] has no option ${JSON.stringify(wanted[missing])}`);
    if (found.some((option) => option.disabled)) throw new Error('that option is disabled');
    if (!el.multiple && found.length !== 1) throw new Error(`element [${ref}] takes exactly one option`);
    el.focus();
    for (const option of all) option.selected = found.includes(option);
    tell(el);
  };
  const focus = (ref) => {
    const el = usable(ref);
    el.focus();
    if (el.getRootNode().activeElement !== el) throw new Error(`element [${ref}] can not be focused`);
  };
  const scroll = (x, y, dx, dy) => {
    let el = hit(x, y, document);
    const room = (at) => {
      const style = getComputedStyle(at);
      const moves = (way, size, most) => way && size < most;
      return (moves(dy, at.clientHeight, at.scrollHeight) && /auto|scroll/.test(style.overflowY)) ||
        (moves(dx, at.clientWidth, at.scrollWidth) && /auto|scroll/.test(style.overflowX));
    };
    while (el && !room(el)) el = el.parentElement;
    (el || document.scrollingElement || document.body).scrollBy({ left: dx, top: dy, behavior: 'instant' });
    return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  };
  // The places in the viewport that stand for element `ref`: its own and those of its labels, as [x, y, width, height].
  const places = (ref) => {
    const el = element(ref);
    return [el, ...(el.labels || [])].map((each) => {
      const { x, y, width, height } = each.getBoundingClientRect();
      return [x, y, width, height];
    });
  };
  const state = (ref) => Boolean(usable(ref).checked);
  const mark = (marks) => {
    const host = document.createElement('div');
    const root = host.attachShadow({ mode: 'closed' });
    for (const [ref, x, y, w, h] of marks) {
      const box = document.createElement('div');
      box.style.cssText = `position:fixed;z-index:2147483647;pointer-events:none;left:${x}px;top:${y}px;width:${w}px;height:${h}px;outline:1px solid #d00`;
      const tag = document.createElement('span');
      tag.textContent = ref;
      tag.style.cssText = 'position:absolute;left:0;top:0;font:9px/10px monospace;color:#fff;background:#d00;padding:0 1px';
      box.append(tag);
      root.append(box);
    }
    document.documentElement.append(host);
    globalThis.unmark = () => host.remove();
    return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  };
  globalThis.agentgym = { begin, look, node: element, aim, through, edit, picker, put, choose, focus, scroll, places, state, mark, unmark: () => globalThis.unmark() };
})();
