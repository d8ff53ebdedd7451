import { emailField, passwordField, usernameFor } from '../fields.js';
import { Form } from '../form.js';
import { client, currentUser } from '../session.js';
import { html } from '../vendor/lit-html.js';

/**
 * The part of the profile where the address is changed.
 *
 * @param {() => void} update
 */
export function changeEmail(update) {
  const form = new Form(update, {
    id: 'change-email',
    button: 'Change the address',
    send: async ({ newEmail = '', password = '' }) => {
      await client.changeEmail({ newEmail, password });
      return `A link is on its way to ${newEmail}. Your address changes when you open it.`;
    },
    failures: { INVALID_CREDENTIALS: { field: 'password', message: 'This is not your password.' } },
  });
  return () => html`
    <details>
      <summary>Change the address</summary>
      ${form.template(html`
        ${usernameFor(currentUser().email)} ${emailField(form, { name: 'newEmail', label: 'New e-mail address' })}
        ${passwordField(form, { name: 'password', label: 'Your password' })}
      `)}
    </details>
  `;
}
