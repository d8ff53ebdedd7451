import { emailField } from '../fields.js';
import { Form } from '../form.js';
import { client } from '../session.js';
import { html } from '../vendor/lit-html.js';

/**
 * Says the same whether there is such an account or not.
 *
 * @param {() => void} update
 * @returns {import('../frame.js').View}
 */
export function forgot(update) {
  const form = new Form(update, {
    id: 'forgot',
    button: 'Send me a link',
    keeps: true,
    send: async ({ email = '' }) => {
      await client.forgotPassword(email);
      return `If ${email} has an account, a link is on its way there, good for 30 minutes. Look among the spam, too.`;
    },
  });
  const { search } = location;
  return {
    title: 'Forgot your password?',
    width: 'form',
    content: () => html`
      <p>Enter the address of your account. You get a mail with a link, by which you can set a new password.</p>
      ${form.template(emailField(form, { name: 'email', label: 'E-mail address', autocomplete: 'username' }))}
      <ul class="links">
        <li><a href="/account/sign-in${search}">Sign in</a></li>
      </ul>
    `,
  };
}
