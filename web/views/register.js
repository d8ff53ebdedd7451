import { isRegistrationOpen } from '../facts.js';
import { emailField, newPasswordField, textField } from '../fields.js';
import { Form } from '../form.js';
import { client } from '../session.js';
import { html } from '../vendor/lit-html.js';

/**
 * @param {() => void} update
 * @returns {import('../frame.js').View}
 */
export function register(update) {
  const form = new Form(update, {
    id: 'register',
    button: 'Create the account',
    keeps: true,
    send: async ({ name, email = '', password = '' }) => {
      await client.register({ email, password, ...(name && { name }) });
    },
    failures: { EMAIL_TAKEN: { field: 'email' } },
  });
  const { search } = location;
  const closed = html`<p class="card">New accounts are not taken at the moment. If you have one, you can sign in.</p>`;
  return {
    title: 'Create an account',
    width: 'form',
    content: () => html`
      ${
        isRegistrationOpen
          ? form.template(html`
              ${emailField(form, { name: 'email', label: 'E-mail address', autocomplete: 'username' })}
              ${textField(form, { name: 'name', label: 'Name', autocomplete: 'name', isOptional: true })}
              ${newPasswordField(form, { name: 'password', label: 'Password' })}
            `)
          : closed
      }
      <ul class="links">
        <li><a href="/account/sign-in${search}">Sign in</a></li>
      </ul>
    `,
  };
}
