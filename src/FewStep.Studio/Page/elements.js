// Elements by name. Text is always text: nothing here reads markup.
const Svg = 'http://www.w3.org/2000/svg';

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (typeof value === 'boolean') element.toggleAttribute(name, value);
    else if (value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter(c => c !== null && c !== undefined));
  return element;
}

export const make = (name, attributes = {}, ...children) => filled(document.createElement(name), attributes, children);
export const draw = (name, attributes = {}, ...children) => filled(document.createElementNS(Svg, name), attributes, children);
export const find = id => document.getElementById(id);

// A labelled field of a form.
export const field = (text, input, cssClass = null) => make('label', { class: cssClass }, `${text} `, input);

export const options = (choices, chosen) => choices.map(
  ([value, text, about]) => make('option', { value, selected: value === chosen, title: about }, text));

// A drawing that the server made: its markup is parsed apart, where no script runs, and only what may be in a drawing is taken.
export function drawing(markup) {
  const figure = new DOMParser().parseFromString(markup, 'text/html').querySelector('figure');
  const allowed = new Set(['figure', 'figcaption', 'ul', 'li', 'svg', 'g', 'path', 'line', 'circle', 'text', 'title', 'desc']);
  for (const element of [...figure.querySelectorAll('*')]) {
    if (!allowed.has(element.localName)) element.remove();
  }
  return document.importNode(figure, true);
}
