import { isRegistrationOpen } from '../facts.js';
import { emailField, passwordField } from '../fields.js';
import { Form } from '../form.js';
import { client } from '../session.js';
import { html, nothing } from '../vendor/lit-html.js';

/**
 * @param {() => void} update
 * @param {string} [reason] Why somebody is here who wanted to be elsewhere.
 * @returns {import('../frame.js').View}
 */
export function signIn(update, reason = '') {
  const form = new Form(update, {
    id: 'sign-in',
    button: 'Sign in',
    keeps: true,
    isHarmless: true,
    send: async ({ email = '', password = '' }) => {
      await client.login({ email, password });
    },
  });
  // The query says where to go on to.
  const { search } = location;
  return {
    title: 'Sign in',
    width: 'form',
    content: () => html`
      ${reason ? html`<p class="notice" role="status">${reason}</p>` : nothing}
      ${form.template(html`
        ${emailField(form, { name: 'email', label: 'E-mail address', autocomplete: 'username' })}
        ${passwordField(form, { name: 'password', label: 'Password' })}
      `)}
      <ul class="links">
        <li><a href="/account/forgot${search}">I forgot my password</a></li>
        ${isRegistrationOpen ? html`<li><a href="/account/register${search}">Create an account</a></li>` : nothing}
      </ul>
    `,
  };
}
