import { client, currentUser } from '../session.js';
import { Task } from '../task.js';
import { html } from '../vendor/lit-html.js';

/**
 * All there is for somebody whose address has to be verified first.
 *
 * @param {() => void} update
 * @returns {import('../frame.js').View}
 */
export function unverified(update) {
  const task = new Task(update);
  const look = () =>
    task.run(async () => {
      await client.refresh();
      // Where it is, another view has taken the place of this one.
      return 'It is not verified yet. Open the link in the mail, and press the button there.';
    });
  return {
    title: 'Verify your address',
    width: 'form',
    content: () => html`
      <div class="card">
        <p>
          Before you go on, show that <strong>${currentUser().email}</strong> is yours: open the link in the mail that
          we have sent there.
        </p>
        <p>Nothing came? Look among the spam, or have it sent again.</p>
        ${task.outcome}
        <div class="buttons" aria-busy=${task.isBusy}>
          <button class="primary" aria-disabled=${task.isBusy} @click=${look}>I have verified it</button>
          <button aria-disabled=${task.isBusy} @click=${() => task.change(resend)}>Send it again</button>
        </div>
      </div>
    `,
  };
}

/** Has the mail sent again that verifies the address. */
export async function resend() {
  await client.resendVerification();
  return `A mail is on its way to ${currentUser().email}. Its link is good for 24 hours.`;
}
