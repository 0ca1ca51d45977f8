//! What is wrong is said; help and completions.

use std::io::{BufRead, BufReader};

use turnkeep_servers::Action;

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

/// Gives every machine the keys `id` and `secret`, unless it gives none; its address.
fn role(gives: bool) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let lines = BufReader::new(&stream).lines().map_while(Result::ok);
            let lines: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
            let status = if gives { "200 OK" } else { "403 Forbidden" };
            let body = match lines[0].split(' ').nth(1).unwrap() {
                path if path.ends_with("/role") => {
                    r#"{"AccessKeyId":"id","SecretAccessKey":"secret","Token":"t",
                        "Expiration":"2100-01-01T00:00:00Z"}"#
                }
                _ => "role",
            };
            let length = body.len();
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n");
            write!(stream, "{answer}Connection: close\r\n\r\n{body}").ok();
        }
    });
    address
}

#[test]
fn who_has_a_role_is_told_what_is_wrong_with_the_bucket() {
    let place = Place::with(&["a"]);
    let ran = |role: &str| {
        let mut command = place.command(&["push", BUCKET]);
        command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
        ended(command.env("AWS_METADATA_ENDPOINT", role).spawn().unwrap(), "")
    };
    ran(&role(false)).ends_with(1).says(&["no keys to S3 were found", "a role of the machine"]);
    // As S3 answers where the region is another one.
    let moved = Rule { action: Action::Status, status: 301, times: 9, ..Rule::default() };
    place.s3.plan(vec![moved]);
    let ran = ran(&role(true)).ends_with(1);
    ran.says(&["store_failed: S3 answered 301", "set AWS_REGION"]);
    assert!(!ran.err.contains("no keys"), "{ran:?}");
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
