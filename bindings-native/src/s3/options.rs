//! Which bucket, where, and who asks.

use std::env;
use std::fmt;
use std::time::Duration;

use turnkeep_core::{Error, ErrorKind, Result};

/// Where a bucket is and what opens it.
///
/// ```
/// use turnkeep::S3Options;
/// let mut options = S3Options::new("my-bucket");
/// options.prefix = "sessions".into();
/// options.region = Some("eu-central-1".into());
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct S3Options {
    /// The bucket. It must exist.
    pub bucket: String,
    /// The folder in it; empty: the whole bucket.
    pub prefix: String,
    /// Which region to sign for; absent: `us-east-1`.
    pub region: Option<String>,
    /// A server other than Amazon's, such as `https://minio.example`.
    pub endpoint: Option<String>,
    /// Who asks. Absent: whoever the surroundings say (a role of the machine, container or pod).
    pub access_key_id: Option<String>,
    /// What proves it.
    pub secret_access_key: Option<String>,
    /// What goes with keys that expire.
    pub session_token: Option<String>,
    /// Whether an endpoint may be `http://`. Signatures are not readable there; sessions are.
    pub allow_http: bool,
    /// Whether the bucket is a part of the host's name, rather than of the path.
    pub virtual_hosted_style: bool,
    /// How long one request may take, its body included.
    pub timeout: Duration,
}

impl S3Options {
    /// That bucket, and nothing else said.
    #[must_use]
    pub fn new(bucket: impl Into<String>) -> Self {
        Self {
            bucket: bucket.into(),
            prefix: String::new(),
            region: None,
            endpoint: None,
            access_key_id: None,
            secret_access_key: None,
            session_token: None,
            allow_http: false,
            virtual_hosted_style: false,
            timeout: Duration::from_secs(120),
        }
    }

    /// What the environment says, in the variables of Amazon's own tools: `AWS_ACCESS_KEY_ID`,
    /// `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_REGION` (or `AWS_DEFAULT_REGION`),
    /// `AWS_ENDPOINT_URL_S3` (or `AWS_ENDPOINT_URL`), and in `AWS_ALLOW_HTTP`. The bucket is yet to
    /// be named.
    #[must_use]
    pub fn from_env() -> Self {
        Self::from_variables(|name| env::var(name).ok().filter(|value| !value.is_empty()))
    }

    fn from_variables(find: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            region: find("AWS_REGION").or_else(|| find("AWS_DEFAULT_REGION")),
            endpoint: find("AWS_ENDPOINT_URL_S3").or_else(|| find("AWS_ENDPOINT_URL")),
            access_key_id: find("AWS_ACCESS_KEY_ID"),
            secret_access_key: find("AWS_SECRET_ACCESS_KEY"),
            session_token: find("AWS_SESSION_TOKEN"),
            allow_http: find("AWS_ALLOW_HTTP").is_some_and(|value| value == "true" || value == "1"),
            ..Self::new("")
        }
    }

    /// `s3://bucket/prefix`, and what the environment says.
    ///
    /// ```
    /// let options = turnkeep::S3Options::from_url("s3://my-bucket/some/sessions")?;
    /// assert_eq!((options.bucket.as_str(), options.prefix.as_str()), ("my-bucket", "some/sessions"));
    /// # Ok::<_, turnkeep::Error>(())
    /// ```
    pub fn from_url(url: &str) -> Result<Self> {
        let rest = url.strip_prefix("s3://").ok_or_else(|| {
            Error::new(ErrorKind::InvalidArgument, format!("{url:?} does not start with s3://"))
        })?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let options = Self { bucket: bucket.into(), prefix: prefix.into(), ..Self::from_env() };
        options.folder().map(|_| options)
    }

    /// What goes before each key; checks what is said.
    pub(super) fn folder(&self) -> Result<String> {
        let invalid = |message: String| Err(Error::new(ErrorKind::InvalidArgument, message));
        if self.bucket.is_empty() || self.bucket.contains('/') {
            return invalid(format!("{:?} is no bucket", self.bucket));
        }
        if !self.allow_http && self.endpoint.as_deref().is_some_and(|url| url.starts_with("http:"))
        {
            return invalid("the endpoint is http://, which allow_http does not allow".into());
        }
        let prefix = self.prefix.trim_matches('/');
        let is_segment = |segment: &str| {
            !matches!(segment, "" | "." | "..") && !segment.contains(|c: char| c.is_control())
        };
        match prefix {
            "" => Ok(String::new()),
            _ if prefix.split('/').all(is_segment) => Ok(format!("{prefix}/")),
            _ => invalid(format!("{prefix:?} is no folder of a bucket")),
        }
    }
}

impl fmt::Debug for S3Options {
    /// Without what must stay secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Options")
            .field("bucket", &self.bucket)
            .field("prefix", &self.prefix)
            .field("region", &self.region)
            .field("endpoint", &self.endpoint)
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_is_read_as_amazons_tools_read_it() {
        let options = S3Options::from_variables(|name| match name {
            "AWS_DEFAULT_REGION" => Some("eu-central-1".into()),
            "AWS_ENDPOINT_URL" => Some("http://general".into()),
            "AWS_ENDPOINT_URL_S3" => Some("http://special".into()),
            "AWS_SECRET_ACCESS_KEY" => Some("secret".into()),
            _ => None,
        });
        assert_eq!(options.region.as_deref(), Some("eu-central-1"));
        assert_eq!(options.endpoint.as_deref(), Some("http://special"));
        assert!(!format!("{options:?}").contains("\"secret\""));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let folder = |bucket: &str, prefix: &str| {
            S3Options { prefix: prefix.into(), ..S3Options::new(bucket) }.folder()
        };
        assert_eq!(folder("b", "/a/b/").unwrap(), "a/b/");
        assert_eq!(folder("b", "").unwrap(), "");
        for (bucket, prefix) in [("", ""), ("a/b", ""), ("b", "a//b"), ("b", ".."), ("b", "a\nb")] {
            let error = folder(bucket, prefix).expect_err("no sense");
            assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{bucket:?} {prefix:?}");
        }
        let mut plain = S3Options::new("b");
        plain.endpoint = Some("http://host".into());
        assert!(plain.folder().is_err());
        plain.allow_http = true;
        assert!(plain.folder().is_ok());
    }
}
