// All that is in view of a page and could be meant, with what would keep it from being asked for. Evaluates to a function
// that gives rows (see `candidates.py`), whether the page has styles at all, and how far it is scrolled.
(() => {
  const ACTIVE = [
    'a[href]', 'button', 'input:not([type=hidden])', 'select', 'textarea', 'summary', '[onclick]', '[contenteditable=""]',
    '[contenteditable=true]', ...['button', 'link', 'checkbox', 'radio', 'tab', 'switch', 'menuitem', 'option', 'slider',
      'combobox', 'textbox', 'searchbox', 'spinbutton'].map((role) => `[role=${role}]`),
  ].join(',');
  const INLINE = new Set(['B', 'I', 'EM', 'STRONG', 'SMALL', 'SPAN', 'BR', 'MARK', 'CODE', 'U', 'SUP', 'SUB', 'ABBR']);
  const FIELDS = new Set(['textbox', 'searchbox', 'spinbutton', 'combobox', 'listbox', 'checkbox', 'radio', 'slider', 'switch']);
  const INPUTS = {
    button: 'button', submit: 'button', reset: 'button', image: 'button', checkbox: 'checkbox', radio: 'radio', range: 'slider',
    number: 'spinbutton', search: 'searchbox', date: 'date', time: 'date', 'datetime-local': 'date', month: 'date', week: 'date',
    file: 'file', color: 'color',
  };
  const GLYPH = /^(?:bx|bxs|bxl|fa|ti|bi|ni|mdi|icon-tabler)-([a-z][a-z0-9-]+)$/; // how the usual icon fonts name what they draw
  const STYLED = /^(fw|xs|sm|md|lg|xl|\d?x\w?|spin|pulse|tada|solid|regular|brands|inverse|border.*|rotate-.*|flip-.*|pull-.*|stack.*)$/;
  const DRAWN = /\/icons\/icon\/([a-z0-9-]+)\s*$/; // Tabler says so in a comment before each of its icons
  const LIGATURE = /material-(icons|symbols)/;
  const squeeze = (text) => (text || '').replace(/\s+/g, ' ').trim();
  const active = new Map();

  const roots = function* (root) {
    yield root;
    for (const el of root.querySelectorAll('*')) {
      if (el.shadowRoot) yield* roots(el.shadowRoot);
      let inner = null;
      try { inner = el.tagName === 'IFRAME' ? el.contentDocument : null; } catch (error) { /* of another origin */ }
      if (inner && inner.body) yield* roots(inner);
    }
  };
  const up = (el) => el.parentElement || (el.getRootNode().host || null);
  const isActive = (el) => {
    if (active.has(el)) return active.get(el);
    let found = el.matches(ACTIVE) && !['none', 'presentation'].includes(el.getAttribute('role'));
    if (!found && getComputedStyle(el).cursor === 'pointer' && el.tagName !== 'LABEL') {
      const parent = up(el);
      found = !(parent && (isActive(parent) || getComputedStyle(parent).cursor === 'pointer'));
    }
    active.set(el, found);
    return found;
  };
  const owner = (el) => {
    for (let at = el; at; at = up(at)) if (isActive(at)) return at;
    return null;
  };
  const roleOf = (el) => {
    const given = (el.getAttribute('role') || '').split(' ')[0], tag = el.tagName;
    if (given && given !== 'none' && given !== 'presentation') return given === 'img' ? 'image' : given;
    if (tag === 'INPUT') return INPUTS[el.type] || 'textbox';
    if (tag === 'A') return 'link';
    if (tag === 'SELECT') return el.multiple || el.size > 1 ? 'listbox' : 'combobox';
    if (tag === 'TEXTAREA' || el.isContentEditable) return 'textbox';
    if (tag === 'BUTTON' || tag === 'SUMMARY') return 'button';
    if (/^H[1-6]$/.test(tag)) return 'heading';
    if (tag === 'TD' || tag === 'TH') return tag === 'TD' ? 'cell' : 'columnheader';
    if (tag === 'IMG' || tag === 'svg') return 'image';
    return isActive(el) ? 'item' : 'text';
  };
  // Text that only a screen reader gets is in a box of a pixel.
  const clipped = (el) => {
    const rect = el.getBoundingClientRect();
    return rect.width <= 2 || rect.height <= 2;
  };
  const shown = (el) => {
    const hidden = [...el.querySelectorAll('*')].filter((each) => each.firstChild && each.innerText && clipped(each) && getComputedStyle(each).display !== 'contents');
    if (hidden.length) {
      const words = [], walk = document.createTreeWalker(el, NodeFilter.SHOW_TEXT);
      while (walk.nextNode()) if (!hidden.some((each) => each.contains(walk.currentNode)) && walk.currentNode.parentElement.checkVisibility()) words.push(walk.currentNode.data);
      return squeeze(words.join(' '));
    }
    if ([...el.querySelectorAll('i,span')].some((each) => LIGATURE.test(each.className))) return '';
    return squeeze(el.innerText);
  };
  const labelled = (el) => {
    const by = el.getAttribute('aria-labelledby');
    const text = by ? by.split(/\s+/).map((id) => (el.getRootNode().getElementById(id) || {}).textContent || '').join(' ') : '';
    return squeeze(text) || squeeze(el.getAttribute('aria-label'));
  };
  // What an icon shows, as its makers call it: "search", "trash".
  const glyphOf = (el) => {
    if (el.tagName !== 'svg' && el.tagName !== 'I') return '';
    const before = el.previousSibling && el.previousSibling.nodeType === 3 ? el.previousSibling.previousSibling : el.previousSibling;
    const drawn = el.tagName === 'svg' && before && before.nodeType === 8 ? DRAWN.exec(before.data) : null;
    const content = el.tagName === 'I' ? getComputedStyle(el, '::before').content : 'svg';
    if (['none', 'normal', '""', ''].includes(content)) return '';
    const named = [...el.classList].map((each) => GLYPH.exec(each)).find((each) => each && !STYLED.test(each[1]));
    return ((drawn || named || [])[1] || '').replace(/-(alt|fill|filled|outline|o|\d+)$/, '').replaceAll('-', ' ');
  };
  const nameOf = (el, role) => {
    if (el.tagName === 'INPUT' && role === 'button') return squeeze(el.value || el.alt || el.title);
    if (FIELDS.has(role) || ['date', 'file', 'color'].includes(role)) {
      const label = el.labels && el.labels.length ? squeeze([...el.labels].map((each) => each.innerText).join(' ')) : '';
      const inside = el.tagName === 'INPUT' || el.tagName === 'SELECT' || el.tagName === 'TEXTAREA' ? '' : shown(el);
      return label || labelled(el) || inside || squeeze(el.title || el.getAttribute('placeholder'));
    }
    const text = shown(el);
    if (text) return text;
    const picture = el.querySelector ? el.querySelector('img[alt],[aria-label],[title],svg title') : null;
    const inner = picture ? picture.getAttribute('alt') || picture.getAttribute('aria-label') || picture.getAttribute('title') || picture.textContent : '';
    const said = labelled(el) || squeeze(el.getAttribute('title') || el.getAttribute('data-bs-original-title') || el.getAttribute('alt') || inner);
    const glyphs = said ? [] : [el, ...el.querySelectorAll('i,svg')].map(glyphOf).filter(Boolean);
    return said || squeeze(el.innerText) || (glyphs.length === 1 ? glyphs[0] : '');
  };

  // Whether anything is to be seen where no text is: an icon font that did not come leaves a button that is there and empty.
  const painted = (el) => [el, ...el.querySelectorAll('*')].some((each) => {
    if (['IMG', 'svg', 'CANVAS', 'VIDEO', 'INPUT'].includes(each.tagName)) return true;
    return [null, '::before', '::after'].some((part) => {
      const style = getComputedStyle(each, part);
      if (part && ['none', 'normal'].includes(style.content)) return false;
      const drawn = style.backgroundImage !== 'none' || (style.maskImage || 'none') !== 'none';
      return drawn || !/, 0\)$|^transparent$/.test(style.backgroundColor) || (part && style.content !== '""');
    });
  });

  const offset = (el) => {
    let x = 0, y = 0;
    for (let frame = el.ownerDocument.defaultView.frameElement; frame; frame = frame.ownerDocument.defaultView.frameElement) {
      const outer = frame.getBoundingClientRect();
      x += outer.x + frame.clientLeft;
      y += outer.y + frame.clientTop;
    }
    return [x, y];
  };
  const boxOf = (el, text = false) => {
    const range = text ? el.ownerDocument.createRange() : el; // of a text, only where there are words
    if (text) range.selectNodeContents(el);
    const rect = range.getBoundingClientRect(), [x, y] = offset(el);
    return [rect.left + x, rect.top + y, rect.right + x, rect.bottom + y];
  };
  const inView = ([left, top, right, bottom]) => right > 0 && bottom > 0 && left < innerWidth && top < innerHeight && right - left >= 1 && bottom - top >= 1;
  const whole = ([left, top, right, bottom]) => left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight;
  const visible = (el) => {
    for (let at = el; at; at = at.ownerDocument.defaultView.frameElement) {
      if (!at.checkVisibility({ opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true })) return false;
    }
    return true;
  };
  const hit = (x, y) => {
    let root = document;
    for (;;) {
      const found = root.elementFromPoint(x, y);
      if (!found) return null;
      if (found.shadowRoot && found.shadowRoot !== root && found.shadowRoot.elementFromPoint(x, y)) {
        root = found.shadowRoot;
        if (root.elementFromPoint(x, y) === found) return found;
        continue;
      }
      let inner = null;
      try { inner = found.tagName === 'IFRAME' ? found.contentDocument : null; } catch (error) { /* of another origin */ }
      if (!inner) return found;
      const rect = found.getBoundingClientRect();
      x -= rect.left + found.clientLeft;
      y -= rect.top + found.clientTop;
      root = inner;
    }
  };
  const inside = (el, other) => {
    for (let at = other; at; at = up(at)) if (at === el) return true;
    return false;
  };
  // Whether what is at a point is this element: itself, or what is in it and is not acted on by itself.
  const reaches = (el, x, y, acted) => {
    const found = hit(x, y);
    if (!found) return false;
    if (inside(el, found)) return !acted || owner(found) === el;
    const label = found.closest('label');
    return !!label && label.control === el;
  };
  const trouble = (el, box, role, acted) => {
    const [left, top, right, bottom] = box, width = right - left, height = bottom - top;
    if (!whole(box)) return 'cut off';
    if (width < 8 || height < 8) return 'tiny';
    if (width * height > innerWidth * innerHeight / 4) return 'huge';
    if (el.getClientRects().length !== 1) return 'in pieces';
    if (el.matches(':disabled') || el.getAttribute('aria-disabled') === 'true') return 'disabled';
    if (role !== 'textbox' && el.scrollWidth > el.clientWidth + 1 && el.clientWidth && getComputedStyle(el).textOverflow === 'ellipsis') return 'text cut';
    const points = [[0.5, 0.5], [0.1, 0.2], [0.9, 0.2], [0.1, 0.8], [0.9, 0.8]];
    const hits = points.map(([right_, down]) => reaches(el, left + width * right_, top + height * down, acted));
    return hits[0] && hits.filter(Boolean).length >= 4 ? '' : 'covered';
  };

  const seenText = (el) => {
    if (!el || !visible(el)) return '';
    const text = squeeze(el.innerText);
    return text && text.length <= 60 && whole(boxOf(el)) ? text : '';
  };
  const KINDS = { NAV: 'navigation', HEADER: 'header', FOOTER: 'footer', ASIDE: 'sidebar', FORM: 'form', DIALOG: 'dialog' };
  const ROLES = { navigation: 'navigation', banner: 'header', contentinfo: 'footer', complementary: 'sidebar', dialog: 'dialog', form: 'form', toolbar: 'toolbar' };
  // The first heading of a group is its title if there is no second one like it, and only of what comes below.
  const titles = (title, group) => !/^H\d$/.test(title.tagName) || group.querySelectorAll(title.tagName).length === 1;
  const above = (title, el) => !inside(el, title) && !inside(title, el) && boxOf(title)[1] <= boxOf(el)[1] + 8;
  const groupsOf = (el) => {
    const groups = [];
    for (let at = up(el); at && at.tagName !== 'BODY'; at = up(at)) {
      const kind = ROLES[at.getAttribute('role')] || KINDS[at.tagName];
      if (at.tagName === 'TR') {
        const first = [...at.cells].find((cell) => !cell.contains(el) && seenText(cell));
        if (first) groups.push(['row', seenText(first)]);
      } else if (kind) {
        const title = kind === 'dialog' ? seenText(at.querySelector('h1,h2,h3,h4,h5,h6')) : '';
        if (kind !== 'form' && (kind !== 'dialog' || title)) groups.push([kind, title]);
      }
      if (at.matches('.card,section,article,fieldset,.x_panel,[role=group],[role=region],.modal-content')) {
        const title = at.querySelector('legend,h1,h2,h3,h4,h5,h6,.card-title,.card-header');
        const said = title && titles(title, at) && above(title, el) ? seenText(title) : '';
        if (said) groups.push(['section', said]);
      }
    }
    return groups.slice(0, 6);
  };

  const leaf = (el) => {
    if (!['H1', 'H2', 'H3', 'H4', 'H5', 'H6', 'TD', 'TH', 'LI', 'DT', 'DD', 'P', 'SPAN', 'DIV', 'LEGEND', 'LABEL', 'FIGCAPTION', 'IMG', 'I', 'svg'].includes(el.tagName)) return false;
    if (el.tagName === 'IMG') return !!squeeze(el.alt);
    if (el.tagName === 'svg' || el.tagName === 'I') return el.getAttribute('role') === 'img' && !!labelled(el) || !!glyphOf(el);
    if (el.tagName === 'LABEL' && el.control) return false;
    if (![...el.childNodes].some((each) => each.nodeType === 3 && squeeze(each.data))) return false;
    if (INLINE.has(el.tagName) && up(el) && [...up(el).childNodes].some((each) => each.nodeType === 3 && squeeze(each.data))) return false;
    return [...el.children].every((each) => INLINE.has(each.tagName) && !isActive(each) && !each.children.length);
  };
  const row = (el, acted) => {
    let box = boxOf(el, !acted && !['IMG', 'I', 'svg'].includes(el.tagName));
    if (!inView(box) || clipped(el)) return null;
    const labels = el.labels ? [...el.labels].filter((each) => visible(each) && inView(boxOf(each)) && each.getClientRects().length === 1) : [];
    let seen = el, also = labels.map(boxOf);
    if (!visible(el)) {
      if (!labels.length || !['checkbox', 'radio', 'file'].includes(el.type)) return null;
      seen = labels[0]; // a drawn control: what is seen of it, and clicked, is its label
      [box, ...also] = also;
    }
    let role = roleOf(el);
    const name = nameOf(el, role);
    const blank = acted && !FIELDS.has(role) && !shown(el) && el.tagName !== 'INPUT' && !['date', 'file', 'color'].includes(role);
    if (blank || (!acted && glyphOf(el))) role = 'icon';
    const part = !acted && owner(el); // an icon in a link, say: to be told from others, not to be asked for
    if (part && (role !== 'icon' || !shown(part))) return null;
    if (role === 'item' && name.length > 80) return null; // a frame around much, which the cursor marks as one
    let why = part ? 'a part' : seen === el ? trouble(el, box, role, acted) : !whole(box) ? 'cut off' : '';
    const [x, y] = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];
    if (!why && seen !== el && !reaches(el, x, y, acted)) why = 'covered';
    if (!why && blank && !painted(el)) why = 'unseen';
    if (!why && (name.length > 80 || !/[\p{L}\p{N}]/u.test(name))) why = 'nameless';
    const field = el.tagName === 'INPUT' ? el.type : '';
    return { role, name: name.slice(0, 300), box, also, groups: groupsOf(el), trouble: why, field };
  };
  return () => {
    const rows = [];
    active.clear();
    for (const root of roots(document)) {
      for (const el of (root.body || root).querySelectorAll('*')) {
        if (el.tagName === 'OPTION' || el.closest('svg') && el.tagName !== 'svg') continue;
        const acted = isActive(el);
        if (!acted && !leaf(el)) continue;
        if (!acted && !visible(el)) continue;
        const made = row(el, acted);
        if (made) rows.push(made);
      }
    }
    let rules = 0;
    for (const sheet of document.styleSheets) {
      try { rules += sheet.cssRules.length; } catch (error) { /* of another origin */ }
    }
    return { rows, rules, scroll: Math.round(scrollY) };
  };
})()
