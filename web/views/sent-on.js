import { RETURN_TO } from '../facts.js';
import { html } from '../vendor/lit-html.js';

/**
 * Leads somebody who is signed in to where he or she wanted to go.
 *
 * @returns {import('../frame.js').View}
 */
export function sentOn() {
  // This may be another address than that of the document, which was loaded for a view before.
  const isAsked = new URLSearchParams(location.search).has('return_to');
  const target = (isAsked && RETURN_TO) || '/account';
  // Later: this view is not open yet.
  queueMicrotask(() => location.replace(target));
  return {
    title: 'You are signed in',
    width: 'form',
    content: () => html`<p>You are led on. If nothing happens, <a href=${target}>follow this link</a>.</p>`,
  };
}
