//! `kill -9` in the midst of rotations.

use super::{audited, endings, users};
use crate::support::load::Load;
use crate::support::process::{Process, free_port};
use crate::support::rounds;

on_both_databases! {
    /// Every client asks again: with a key, without one, from two tabs. What was answered stands,
    /// what was not is found by the repeat.
    fn nobody_is_logged_out_by_a_crash(db) {
        let port = free_port();
        let mut process = Process::start(&db, port, &[]);
        let users = users(&process, 9);
        let load = Load::start(&[&process.base], users);
        let kills = rounds(5, 40);
        for _ in 0..kills {
            load.wait_for(5);
            process.kill();
            process = Process::start(&db, port, &[]);
        }
        load.wait_for(5);
        let kept = load.stop();
        kept.expect_no_faults();
        assert_eq!(endings(&db), (0, 0));
        assert_eq!(audited(&db, "rotation_recovered"), 0, "an answered rotation was forgotten");
        assert!(kept.refreshed > u64::from(kills) * 9 * 5);
        assert!(kept.unanswered > 0, "no kill hit anybody");
    }
}
