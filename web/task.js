import { SymbolonError } from './client.js';
import { html, nothing } from './vendor/lit-html.js';
import { ofFailure } from './words.js';

/** @typedef {() => Promise<string | void>} Work Resolves with what is to be said of it, if anything. */

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
   * Does the work, unless it is under way. It is to change nothing, or nothing that matters when it is done
   * twice.
   *
   * @param {Work} work
   * @returns {Promise<boolean>} Whether it was done.
   */
  run(work) {
    return this.#do(work, false);
  }

  /**
   * Does work that changes something, unless it is under way: if no answer comes, it may have been done.
   *
   * @param {Work} work
   * @returns {Promise<boolean>} Whether it was done, as far as is known.
   */
  change(work) {
    // What is sent without a connection has not left this device.
    return this.#do(work, navigator.onLine);
  }

  /**
   * @param {Work} work
   * @param {boolean} mayBeDone
   */
  async #do(work, mayBeDone) {
    if (this.isBusy) return false;
    this.clear();
    this.isBusy = true;
    this.update();
    try {
      this.success = (await work()) ?? '';
      return true;
    } catch (error) {
      this.explain(error, mayBeDone);
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

  /**
   * @param {unknown} error
   * @param {boolean} mayBeDone
   */
  explain(error, mayBeDone) {
    this.failure = ofFailure(error, mayBeDone);
  }

  /** What came of it. Screen readers notice what is put into elements that were there before. */
  get outcome() {
    return html`
      <div role="alert">${this.failure ? html`<p class="notice bad">${this.failure}</p>` : nothing}</div>
      <div role="status">${this.success ? html`<p class="notice good">${this.success}</p>` : nothing}</div>
    `;
  }
}

/**
 * For what ends or deletes something: that it is gone already will do.
 *
 * @param {unknown} error
 */
export function unlessGone(error) {
  if (!(error instanceof SymbolonError && error.code === 'NOT_FOUND')) throw error;
}
