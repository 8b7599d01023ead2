import { Refused } from './api.ts';

/** The element of an id that the page has; throws for one that it has not. */
export function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no ${id}`);
  return found;
}

/** Shows some sections and hides all others. */
export function showOnly(...ids: readonly string[]): void {
  for (const section of document.querySelectorAll('section')) section.hidden = !ids.includes(section.id);
}

/** Says something to whoever looks at the page. */
export function say(text: string, kind: 'done' | 'refused' = 'done'): void {
  const said = byId('said');
  said.textContent = text;
  said.dataset['kind'] = kind;
}

/** Takes out of the page what `ids` show, and what was typed into the forms of a section. */
export function empty(section: string, ...ids: readonly string[]): void {
  for (const id of ids) byId(id).replaceChildren();
  for (const form of byId(section).querySelectorAll('form')) form.reset();
}

/** Runs what somebody asked for by a click; what the server refuses is said in its words. */
async function attempt(run: () => Promise<void>): Promise<void> {
  try {
    say('…');
    await run();
  } catch (error) {
    if (error instanceof Refused) return say(error.message, 'refused');
    say(error instanceof DOMException ? 'The browser gave no passkey.' : 'That did not work.', 'refused');
  }
}

/** Runs `run` at each click on a button. */
export function onClick(id: string, run: () => Promise<void>): void {
  byId(id).addEventListener('click', () => void attempt(run));
}

/** Runs `run` with the fields of a form, which it empties, and the button that was pressed. */
export function onSubmit(id: string, run: (field: (name: string) => string, button: string) => Promise<void>): void {
  const form = byId(id);
  if (!(form instanceof HTMLFormElement)) throw new Error(`${id} is no form`);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const fields = new FormData(form);
    const button = event.submitter instanceof HTMLButtonElement ? event.submitter.value : '';
    const field = (name: string): string => {
      const value = fields.get(name);
      if (typeof value !== 'string') return '';
      return name === 'password' || name === 'current' ? value : value.trim();
    };
    void attempt(async () => {
      await run(field, button);
      form.reset();
    });
  });
}

/** A row of a list: a text, and perhaps a button with what it does. */
export type Row =
  | { readonly text: string; readonly button?: never }
  | { readonly text: string; readonly button: string; readonly run: () => Promise<void> };

/** Replaces what a list shows. */
export function showRows(id: string, rows: readonly Row[]): void {
  const items = rows.map((row) => {
    const item = document.createElement('li');
    item.append(row.text);
    if (row.button === undefined) return item;
    const press = document.createElement('button');
    press.type = 'button';
    press.textContent = row.button;
    press.addEventListener('click', () => void attempt(row.run));
    item.append(press);
    return item;
  });
  byId(id).replaceChildren(...items);
}

/** Replaces what a description list shows. */
export function showTerms(id: string, terms: Readonly<Record<string, string>>): void {
  const shown = Object.entries(terms).flatMap(([name, value]) => {
    const [term, description] = [document.createElement('dt'), document.createElement('dd')];
    term.textContent = name;
    description.textContent = value;
    description.dataset['of'] = name;
    return [term, description];
  });
  byId(id).replaceChildren(...shown);
}
