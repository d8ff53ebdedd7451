import { SymbolonError } from './client.js';
import { Task } from './task.js';
import { html } from './vendor/lit-html.js';
import { ofFailure, ofMissing, ofProblem } from './words.js';

/**
 * What a failure means in a form where it means something particular.
 *
 * @typedef {{ field?: string, message?: string }} Meaning
 */

/** A form: what it sends, what is wrong with its fields, what came of it. */
export class Form extends Task {
  /** @type {Record<string, string>} What is wrong, by the fields' names. */
  problems = {};

  /**
   * @param {() => void} update Shows the view as it is now.
   * @param {object} plan
   * @param {string} plan.id Unique on the page.
   * @param {string} plan.button What the button says.
   * @param {(values: Record<string, string>) => Promise<string | void>} plan.send Resolves with what is
   *   to be said of it, if anything.
   * @param {Record<string, Meaning>} [plan.failures] By code.
   * @param {boolean} [plan.keeps] Whether it stays filled in after it was sent.
   * @param {boolean} [plan.isDangerous] Whether what it does cannot be undone.
   * @param {boolean} [plan.isHarmless] Whether nothing is changed by it that matters when it is sent twice.
   */
  constructor(update, { id, button, send, failures = {}, keeps = false, isDangerous = false, isHarmless = false }) {
    super(update);
    this.id = id;
    this.button = button;
    this.send = send;
    this.failures = failures;
    this.keeps = keeps;
    this.isDangerous = isDangerous;
    this.isHarmless = isHarmless;
  }

  /** @param {SubmitEvent} event */
  submit = async (event) => {
    event.preventDefault();
    if (this.isBusy) return;
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    hidePasswords(form);
    this.clear();
    this.problems = problemsIn(form);
    const values = /** @type {Record<string, string>} */ (Object.fromEntries(new FormData(form)));
    const isFine = Object.keys(this.problems).length === 0;
    const send = () => this.send(values);
    const isDone = isFine && (await (this.isHarmless ? this.run(send) : this.change(send)));
    if (isDone && !this.keeps) form.reset();
    this.update();
    if (!isDone) focusFirstWrong(form);
  };

  clear() {
    super.clear();
    this.problems = {};
  }

  /**
   * @param {unknown} error
   * @param {boolean} mayBeDone
   */
  explain(error, mayBeDone) {
    const meaning = error instanceof SymbolonError ? this.failures[error.code] : undefined;
    const message = meaning?.message ?? ofFailure(error, mayBeDone);
    if (meaning?.field) this.problems = { [meaning.field]: message };
    else if (error instanceof SymbolonError && error.errors.length > 0) this.#blame(error.errors);
    else this.failure = message;
  }

  /** @param {import('./client.js').FieldError[]} problems */
  #blame(problems) {
    const form = document.forms.namedItem(this.id);
    for (const problem of problems) {
      if (form?.elements.namedItem(problem.field)) this.problems[problem.field] = ofProblem(problem);
      else this.failure = problem.message;
    }
  }

  /**
   * The form, around its fields.
   *
   * @param {unknown} fields
   * @param {unknown} [more] Beside the button.
   */
  template(fields, more) {
    return html`
      <form id=${this.id} novalidate aria-busy=${this.isBusy} @submit=${this.submit}>
        ${fields} ${this.outcome}
        <div class="buttons">
          <button class=${this.isDangerous ? 'danger' : 'primary'} aria-disabled=${this.isBusy}>${this.button}</button>
          ${more}
        </div>
      </form>
    `;
  }
}

/**
 * What can be said of the fields without asking the service, which judges the rest.
 *
 * @param {HTMLFormElement} form
 */
function problemsIn(form) {
  /** @type {Record<string, string>} */
  const problems = {};
  for (const field of form.elements) {
    if (!(field instanceof HTMLInputElement)) continue;
    const { valueMissing, tooShort } = field.validity;
    if (valueMissing) problems[field.name] = ofMissing(field.name);
    if (tooShort) problems[field.name] = `The password needs at least ${field.minLength} characters.`;
  }
  return problems;
}

/**
 * Browsers remember what was typed into plain text fields.
 *
 * @param {HTMLFormElement} form
 */
function hidePasswords(form) {
  for (const toggle of form.querySelectorAll('button[aria-pressed="true"]')) {
    /** @type {HTMLElement} */ (toggle).click();
  }
}

/** @param {HTMLFormElement} form */
function focusFirstWrong(form) {
  /** @type {HTMLElement | null} */ (form.querySelector('[aria-invalid="true"]'))?.focus();
}
