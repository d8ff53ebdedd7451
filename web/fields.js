/** The fields of forms, each with its label, its hint and what is wrong with it. */

import { PASSWORD_MIN_LENGTH } from './facts.js';
import { html, nothing } from './vendor/lit-html.js';

/**
 * @typedef {object} Field
 * @property {string} name
 * @property {string} label
 * @property {AutoFill} [autocomplete]
 * @property {string} [hint]
 * @property {string} [value] What is in it at first.
 * @property {boolean} [isOptional]
 */

/**
 * @param {import('./form.js').Form} form
 * @param {Field} field
 */
export function textField(form, field) {
  const { name, value = '', autocomplete, isOptional = false } = field;
  return labelled(
    form,
    field,
    html`
      <input
        id=${idOf(form, name)}
        name=${name}
        type="text"
        value=${value}
        autocomplete=${autocomplete ?? nothing}
        ?required=${!isOptional}
        aria-invalid=${isWrong(form, name)}
        aria-describedby=${describers(form, field)}
      />
    `,
  );
}

/**
 * @param {import('./form.js').Form} form
 * @param {Field} field
 */
export function emailField(form, field) {
  const { name, autocomplete = 'email' } = field;
  return labelled(
    form,
    field,
    html`
      <input
        id=${idOf(form, name)}
        name=${name}
        type="email"
        autocomplete=${autocomplete}
        autocapitalize="none"
        spellcheck="false"
        required
        aria-invalid=${isWrong(form, name)}
        aria-describedby=${describers(form, field)}
      />
    `,
  );
}

/**
 * The password of the account.
 *
 * @param {import('./form.js').Form} form
 * @param {Field} field
 */
export function passwordField(form, { autocomplete = 'current-password', ...field }) {
  const { name } = field;
  const minLength = autocomplete === 'new-password' ? PASSWORD_MIN_LENGTH : nothing;
  return labelled(
    form,
    field,
    html`
      <div class="with-toggle">
        <input
          id=${idOf(form, name)}
          name=${name}
          type="password"
          autocomplete=${autocomplete}
          minlength=${minLength}
          required
          aria-invalid=${isWrong(form, name)}
          aria-describedby=${describers(form, field)}
        />
        <button type="button" aria-pressed="false" aria-label="Show ${field.label}" @click=${togglePassword}>
          Show
        </button>
      </div>
    `,
  );
}

/**
 * A password to be.
 *
 * @param {import('./form.js').Form} form
 * @param {Field} field
 */
export function newPasswordField(form, field) {
  const hint = `At least ${PASSWORD_MIN_LENGTH} characters. A few words do well.`;
  return passwordField(form, { hint, ...field, autocomplete: 'new-password' });
}

/**
 * Tells password managers whose password is asked for; nobody sees it.
 *
 * @param {string} email
 */
export function usernameFor(email) {
  return html`<input type="text" name="username" autocomplete="username" value=${email} readonly hidden />`;
}

/**
 * @param {import('./form.js').Form} form
 * @param {Field} field
 * @param {unknown} control
 */
function labelled(form, { name, label, hint, isOptional }, control) {
  const id = idOf(form, name);
  const problem = form.problems[name];
  return html`
    <div class="field">
      <label for=${id}>${label}${isOptional ? html` <span class="quiet">(optional)</span>` : nothing}</label>
      ${hint ? html`<p class="hint" id="${id}-hint">${hint}</p>` : nothing} ${control}
      ${problem ? html`<p class="problem" id="${id}-problem">${problem}</p>` : nothing}
    </div>
  `;
}

/**
 * @param {import('./form.js').Form} form
 * @param {string} name
 */
function idOf(form, name) {
  return `${form.id}-${name}`;
}

/**
 * @param {import('./form.js').Form} form
 * @param {string} name
 */
function isWrong(form, name) {
  return name in form.problems ? 'true' : nothing;
}

/**
 * The elements that say more about a field.
 *
 * @param {import('./form.js').Form} form
 * @param {Field} field
 */
function describers(form, { name, hint }) {
  const id = idOf(form, name);
  const ids = [hint && `${id}-hint`, form.problems[name] && `${id}-problem`].filter(Boolean);
  return ids.length > 0 ? ids.join(' ') : nothing;
}

/** @param {MouseEvent} event */
function togglePassword({ currentTarget }) {
  const button = /** @type {HTMLButtonElement} */ (currentTarget);
  const input = /** @type {HTMLInputElement} */ (button.previousElementSibling);
  const isShown = input.type === 'password';
  input.type = isShown ? 'text' : 'password';
  button.setAttribute('aria-pressed', String(isShown));
}
