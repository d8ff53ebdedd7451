/** Dialogs, in which somebody confirms what is not easily undone. */

import { html } from './vendor/lit-html.js';

/**
 * A dialog that is closed at first.
 *
 * @param {object} parts
 * @param {string} parts.id Unique on the page.
 * @param {string} parts.title
 * @param {unknown} parts.content
 * @param {import('./task.js').Task} parts.task What it is for: closed, it forgets what came of that, and
 *   what was typed into it.
 */
export function dialog({ id, title, content, task }) {
  /** @param {Event} event */
  const close = ({ target }) => {
    /** @type {HTMLElement} */ (target).querySelector('form')?.reset();
    task.clear();
    task.update();
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
 * Closes the dialog and does nothing. It has the focus at first where nothing else has to be filled in or
 * pressed before: Enter pressed twice, for what opens the dialog, confirms nothing.
 *
 * @param {string} id
 * @param {boolean} [isFocused]
 */
export function cancelButton(id, isFocused = false) {
  return html`<button type="button" ?autofocus=${isFocused} @click=${() => closeDialog(id)}>Cancel</button>`;
}
