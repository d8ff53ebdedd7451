import { cancelButton, dialog, openDialog } from '../dialog.js';
import { passwordField, usernameFor } from '../fields.js';
import { Form } from '../form.js';
import { client, currentUser, leave } from '../session.js';
import { html } from '../vendor/lit-html.js';

const DIALOG = 'delete-account-dialog';

/**
 * The part of the profile where the account is deleted.
 *
 * @param {() => void} update
 */
export function deleteAccount(update) {
  const form = new Form(update, {
    id: 'delete-account',
    button: 'Delete my account',
    isDangerous: true,
    send: ({ password = '' }) => leave(() => client.deleteAccount(password), 'Your account is deleted.'),
    failures: { INVALID_CREDENTIALS: { field: 'password', message: 'This is not your password.' } },
  });
  const content = () => html`
    <p>
      Your account is gone for good, and you are signed out everywhere. For a limited time there is still a record of
      what was done with it, from which IP addresses and browsers, and of former e-mail addresses.
    </p>
    ${form.template(
      html` ${usernameFor(currentUser().email)} ${passwordField(form, { name: 'password', label: 'Your password' })} `,
      cancelButton(DIALOG),
    )}
  `;
  return () => html`
    <button class="danger quiet" @click=${() => openDialog(DIALOG)}>Delete the account…</button>
    ${dialog({ id: DIALOG, title: 'Delete your account?', content: content(), task: form })}
  `;
}
