/** What is around every view: the menu, the banner, the window's title, and where the focus goes. */

import { client, signOut } from './session.js';
import { Task } from './task.js';
import { html, nothing, render } from './vendor/lit-html.js';

/**
 * What fills the page.
 *
 * @typedef {object} View
 * @property {string} title Its heading, and the window's title.
 * @property {'form' | 'text' | 'table'} width How much room it takes at most.
 * @property {() => unknown} content What is below the heading, as of now.
 */

/**
 * Where somebody is.
 *
 * @typedef {object} Place
 * @property {string} key While this stays the same, the view stays. With another key, another view is opened
 *   and nothing is left of the one before.
 * @property {(update: () => void) => View} open Makes the view; `update` shows it as it is now.
 */

/** @typedef {{ href: string, text: string, isCurrent?: boolean }} Link */

/**
 * Keeps showing the place where somebody is.
 *
 * @param {(session: import('./session.js').Session) => Place} placeOf
 * @param {(session: import('./session.js').Session) => Link[]} linksOf What the menu leads to.
 * @returns {() => void} Shows it as it is now: to be called when the address has changed.
 */
export function keepShowing(placeOf, linksOf) {
  const [main, menu, banner] = [find('main'), find('#menu'), find('#banner')];
  const signingOut = new Task(show);
  /** @type {View | undefined} */
  let view;
  let key = '';

  function show() {
    const place = placeOf(client.session);
    const isOther = place.key !== key;
    const isArrival = key === '' || key === WAITING.key;
    if (isOther) {
      render(nothing, main);
      signingOut.clear();
      key = place.key;
      view = place.open(show);
    }
    if (!view) return;
    document.title = view.title === 'Symbolon' ? view.title : `${view.title} – Symbolon`;
    main.dataset.width = view.width;
    render(
      html`<h1 tabindex="-1">${view.title}</h1>
        ${view.content()}`,
      main,
    );
    render(menuOf(linksOf(client.session), signingOut), menu);
    render(bannerOf(client.session), banner);
    // Not on arrival: a browser has put the focus where people expect it.
    if (isOther && !isArrival) focusHeading();
  }

  client.onChange(show);
  addEventListener('online', show);
  addEventListener('offline', show);
  // By script, since the address's fragment is not ours to change.
  find('.skip').addEventListener('click', (event) => {
    event.preventDefault();
    main.focus();
  });
  show();
  return show;
}

/** For when what had the focus is gone. */
export function focusHeading() {
  document.querySelector('h1')?.focus();
}

/**
 * Where everybody is until the service has said who is signed in.
 *
 * @satisfies {Place}
 */
export const WAITING = {
  key: 'waiting',
  open: (/** @type {() => void} */ update) => {
    const trying = new Task(update);
    const tryNow = () => trying.run(() => client.refresh().then(() => {}));
    return /** @type {View} */ ({
      title: 'Symbolon',
      width: 'form',
      content: () =>
        client.session.error
          ? html`
              <div class="card">
                <p>
                  The service cannot be reached at the moment. You have not been signed out: this page goes on trying.
                </p>
                <button aria-busy=${trying.isBusy} aria-disabled=${trying.isBusy} @click=${tryNow}>Try now</button>
              </div>
            `
          : html`<p class="late quiet">One moment…</p>`,
    });
  },
};

/**
 * @param {Link[]} links
 * @param {Task} signingOut
 */
function menuOf(links, signingOut) {
  if (!client.session.user) return nothing;
  return html`
    <nav aria-label="Main">
      <ul>
        ${links.map(
          ({ href, text, isCurrent }) =>
            html`<li><a href=${href} aria-current=${isCurrent ? 'page' : nothing}>${text}</a></li>`,
        )}
      </ul>
      <button
        class="plain"
        aria-busy=${signingOut.isBusy}
        aria-disabled=${signingOut.isBusy}
        @click=${() => signingOut.change(signOut)}
      >
        Sign out
      </button>
    </nav>
    ${signingOut.outcome}
  `;
}

/** @param {import('./session.js').Session} session */
function bannerOf({ state, error }) {
  const isOffline = !navigator.onLine || error?.code === 'UNREACHABLE';
  if (!isOffline && !error) return nothing;
  const trouble = isOffline ? 'No connection.' : 'The service does not answer at the moment.';
  return html`<p>${trouble}${state === 'signedIn' ? ' You stay signed in.' : ''}</p>`;
}

/**
 * An element of the shell.
 *
 * @param {string} selector
 */
function find(selector) {
  const element = document.querySelector(selector);
  if (!(element instanceof HTMLElement)) throw new Error(`the shell lacks ${selector}`);
  return element;
}
