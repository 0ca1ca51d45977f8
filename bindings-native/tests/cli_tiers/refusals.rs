//! What is wrong is said; help and completions.

use super::*;

#[test]
fn what_is_wrong_is_said_with_what_to_do() {
    let place = Place::with(&["a"]);
    for (code, target, texts) in [
        (10, "s3://missing/x", ["there is no bucket \"missing\"", "Make it first"]),
        (2, "gs://bucket", ["no stores at gs://", "A store is a folder, s3://"]),
        (2, "s3:bucket", ["// is missing", "A store is a folder, s3://"]),
        (2, "s3://", ["is no bucket", "s3://BUCKET"]),
        (2, "store", ["source and target are both store", "hint"]),
        (2, "rediss://127.0.0.1:1", ["TLS", "through a tunnel"]),
        (1, "redis://u:secret@127.0.0.1:1", ["Redis: ", "Check host, port and password"]),
    ] {
        let ran = place.run(code, &["push", target]);
        ran.says(&texts);
        assert!(!ran.err.contains("secret"), "{ran:?}");
    }
    let ran = |change: &dyn Fn(&mut Command)| {
        let mut command = place.command(&["push", BUCKET]);
        change(&mut command);
        ended(command.spawn().unwrap(), "")
    };
    let wrong = ran(&|command| _ = command.env("AWS_SECRET_ACCESS_KEY", "wrong"));
    wrong.ends_with(1).says(&["SignatureDoesNotMatch", "Check AWS_ACCESS_KEY_ID"]);
    let half = ran(&|command| _ = command.env_remove("AWS_ACCESS_KEY_ID"));
    half.ends_with(2).says(&["AWS_ACCESS_KEY_ID", "one is missing"]);
    let plain = ran(&|command| _ = command.env_remove("AWS_ALLOW_HTTP"));
    plain.ends_with(2).says(&["http://", "AWS_ALLOW_HTTP=true"]);
}

#[test]
fn a_bucket_that_lets_two_writers_win_is_not_written_to() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place { folder, s3: S3Server::start(Personality::Ignoring) };
    place.create("a");
    place.run(1, &["push", BUCKET]).says(&["not_supported", "could be lost", "can be read"]);
}

#[test]
fn help_gives_examples_and_shells_complete_the_commands() {
    let place = Place::with(&[]);
    for command in ["push", "pull", "copy", "gc"] {
        let help = place.run(0, &[command, "--help"]).out;
        assert!(help.contains(&format!("Examples:\n    turnkeep {command} ")), "{help}");
        for shell in ["bash", "zsh", "fish"] {
            assert!(place.run(0, &["completions", shell]).out.contains(command));
        }
    }
}
