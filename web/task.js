import { html, nothing } from './vendor/lit-html.js';
import { ofFailure } from './words.js';

/** Something that is asked of the service, and what came of it, said where it was asked for. */
export class Task {
  isBusy = false;
  failure = '';
  success = '';

  /** @param {() => void} update Shows the view as it is now. */
  constructor(update) {
    this.update = update;
  }

  /**
   * Does the work, unless it is under way.
   *
   * @param {() => Promise<string | void>} work Resolves with what is to be said of it, if anything.
   * @returns {Promise<boolean>} Whether it was done.
   */
  async run(work) {
    if (this.isBusy) return false;
    this.clear();
    this.isBusy = true;
    this.update();
    try {
      this.success = (await work()) ?? '';
      return true;
    } catch (error) {
      this.explain(error);
      return false;
    } finally {
      this.isBusy = false;
      this.update();
    }
  }

  clear() {
    this.failure = '';
    this.success = '';
  }

  /** @param {unknown} error */
  explain(error) {
    this.failure = ofFailure(error);
  }

  /** What came of it. Screen readers notice what is put into elements that were there before. */
  get outcome() {
    return html`
      <div role="alert">${this.failure ? html`<p class="notice bad">${this.failure}</p>` : nothing}</div>
      <div role="status">${this.success ? html`<p class="notice good">${this.success}</p>` : nothing}</div>
    `;
  }
}
