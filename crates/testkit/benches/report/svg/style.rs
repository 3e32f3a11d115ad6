//! Colours and type. Light and dark have the same classes.

/// Whose bar it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// portcrew with Rust workers.
    CrewOfRust,
    /// portcrew with Node workers.
    CrewOfNode,
    /// Node without portcrew.
    Node,
    /// Everything else.
    Plain,
}

impl Family {
    pub(crate) const ALL: [Self; 4] = [Self::CrewOfRust, Self::CrewOfNode, Self::Node, Self::Plain];

    /// The family of a server by its name in the tables.
    pub(crate) fn of(name: &str) -> Self {
        match (name.contains("portcrew"), name.contains("Node") || name.contains("PM2")) {
            (true, true) => Self::CrewOfNode,
            (true, false) => Self::CrewOfRust,
            (false, true) => Self::Node,
            (false, false) => Self::Plain,
        }
    }

    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::CrewOfRust => "rust",
            Self::CrewOfNode => "crew",
            Self::Node => "node",
            Self::Plain => "plain",
        }
    }

    pub(super) const fn said(self) -> &'static str {
        match self {
            Self::CrewOfRust => "portcrew, Rust workers",
            Self::CrewOfNode => "portcrew, Node workers",
            Self::Node => "Node and PM2",
            Self::Plain => "others",
        }
    }
}

pub(super) const STYLE: &str = "\
text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif;fill:#1f2328}
.title{font-size:16px;font-weight:600}.small{font-size:11.5px}.label{font-size:12.5px}
.head{font-size:12.5px;font-weight:600}.value{font-size:12px;font-variant-numeric:tabular-nums}
.quiet{fill:#59636e}.end{text-anchor:end}.middle{text-anchor:middle}
.card{fill:#ffffff;stroke:#d1d9e0}.grid{stroke:#dde3e9}.spread{stroke:#1f2328;stroke-width:1.2}
.rust{fill:#0969da}.crew{fill:#1a7f37}.node{fill:#bc4c00}.plain{fill:#818b98}.first{fill-opacity:.5}
@media (prefers-color-scheme:dark){
text{fill:#f0f6fc}.quiet{fill:#9198a1}.card{fill:#0d1117;stroke:#3d444d}.grid{stroke:#2a313c}.spread{stroke:#f0f6fc}
.rust{fill:#4493f8}.crew{fill:#3fb950}.node{fill:#f0883e}.plain{fill:#767f8a}}
";
