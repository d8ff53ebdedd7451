/** Dialogs, in which somebody confirms what is not easily undone. */

import { html } from './vendor/lit-html.js';

/**
 * A dialog that is closed at first.
 *
 * @param {object} parts
 * @param {string} parts.id Unique on the page.
 * @param {string} parts.title
 * @param {unknown} parts.content
 * @param {() => void} parts.onClose Forgets what was said in it; what was typed into it is forgotten anyway.
 */
export function dialog({ id, title, content, onClose }) {
  /** @param {Event} event */
  const close = ({ target }) => {
    /** @type {HTMLElement} */ (target).querySelector('form')?.reset();
    onClose();
  };
  return html`
    <dialog id=${id} aria-labelledby="${id}-title" @close=${close}>
      <h2 id="${id}-title">${title}</h2>
      ${content}
    </dialog>
  `;
}

/** @param {string} id */
export function openDialog(id) {
  /** @type {HTMLDialogElement} */ (document.getElementById(id)).showModal();
}

/** @param {string} id */
export function closeDialog(id) {
  /** @type {HTMLDialogElement | null} */ (document.getElementById(id))?.close();
}

/**
 * Closes the dialog and does nothing.
 *
 * @param {string} id
 */
export function cancelButton(id) {
  return html`<button type="button" @click=${() => closeDialog(id)}>Cancel</button>`;
}
