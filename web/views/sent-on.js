import { html } from '../vendor/lit-html.js';

/**
 * Leads somebody who is signed in to where he or she wanted to go.
 *
 * @returns {import('../frame.js').View}
 */
export function sentOn() {
  // The service has looked at the query's `return_to`, and repeats it only where it leads to friends.
  const isAsked = new URLSearchParams(location.search).has('return_to');
  const target = (isAsked && document.documentElement.dataset.returnTo) || '/account';
  // Later: this view is not open yet.
  queueMicrotask(() => location.replace(target));
  return {
    title: 'You are signed in',
    width: 'form',
    content: () => html`<p>You are led on. If nothing happens, <a href=${target}>follow this link</a>.</p>`,
  };
}
