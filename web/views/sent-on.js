import { RETURN_TO } from '../facts.js';
import { html } from '../vendor/lit-html.js';

/**
 * Leads somebody who is signed in to where he or she wanted to go.
 *
 * @param {(url: URL) => boolean} isEntrance Whether it would only lead on again.
 * @returns {import('../frame.js').View}
 */
export function sentOn(isEntrance) {
  // This may be another address than that of the document, which was loaded for a view before.
  const isAsked = new URLSearchParams(location.search).has('return_to');
  const asked = (isAsked && RETURN_TO) || '/account';
  const target = isEntrance(new URL(asked, location.origin)) ? '/account' : asked;
  // Later: this view is not open yet.
  queueMicrotask(() => location.replace(target));
  return {
    title: 'You are signed in',
    width: 'form',
    content: () => html`<p>You are led on. If nothing happens, <a href=${target}>follow this link</a>.</p>`,
  };
}
