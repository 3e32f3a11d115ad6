//! Programs of the kernel's classic packet filter (bpf(4)), and how they are put together.

/// A program that the kernel can run for a group of sockets. What it returns is the index of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program(pub(super) Vec<Instruction>);

/// A `sock_filter` of `linux/filter.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Instruction {
    pub(super) code: u16,
    pub(super) if_true: u8,
    pub(super) if_false: u8,
    pub(super) value: u32,
}

impl Program {
    /// How many instructions it has. The kernel takes 4096, and fewer where little memory is allowed for options
    /// (`net.core.optmem_max`): no program of [`Steering`](super::Steering) is longer than 2048.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it has no instruction. None that this crate makes is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What there is to do with the accumulator A, the index register X and the words of memory M.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    /// A = so many bytes of the packet at this offset, in the order of the network.
    LoadWord(u32),
    LoadHalf(u32),
    LoadByte(u32),
    /// A = two bytes at this offset and X beyond.
    LoadHalfBeyond(u32),
    /// A = this.
    Set(u32),
    /// A = this word of M; X = this word of M; this word of M = A.
    Recall(u32),
    RecallToX(u32),
    Store(u32),
    /// X = A.
    CopyToX,
    Add(u32),
    Multiply(u32),
    Divide(u32),
    Modulo(u32),
    And(u32),
    Xor(u32),
    ShiftLeft(u32),
    ShiftRight(u32),
    XorX,
    ShiftRightX,
    /// Skips so many instructions.
    Jump(u32),
    /// Ends with A.
    Return,
}

impl Operation {
    /// Class, size or operation, and source, as `linux/bpf_common.h` numbers them.
    const fn code_and_value(self) -> (u16, u32) {
        match self {
            Self::LoadWord(offset) => (0x20, offset),
            Self::LoadHalf(offset) => (0x28, offset),
            Self::LoadByte(offset) => (0x30, offset),
            Self::LoadHalfBeyond(offset) => (0x48, offset),
            Self::Set(value) => (0x00, value),
            Self::Recall(word) => (0x60, word),
            Self::RecallToX(word) => (0x61, word),
            Self::Store(word) => (0x02, word),
            Self::CopyToX => (0x07, 0),
            Self::Add(value) => (0x04, value),
            Self::Multiply(value) => (0x24, value),
            Self::Divide(value) => (0x34, value),
            Self::Modulo(value) => (0x94, value),
            Self::And(value) => (0x54, value),
            Self::Xor(value) => (0xa4, value),
            Self::ShiftLeft(bits) => (0x64, bits),
            Self::ShiftRight(bits) => (0x74, bits),
            Self::XorX => (0xac, 0),
            Self::ShiftRightX => (0x7c, 0),
            Self::Jump(distance) => (0x05, distance),
            Self::Return => (0x16, 0),
        }
    }
}

/// What A is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    Equals(u32),
    IsAtLeast(u32),
    /// Whether it has one of these bits.
    Has(u32),
}

/// A piece of a program that ends at its end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Code(Vec<Instruction>);

impl Code {
    pub(super) fn of(operations: &[Operation]) -> Self {
        Self(operations.iter().map(|it| instruction(*it)).collect())
    }

    #[must_use]
    pub(super) fn then(mut self, next: &Self) -> Self {
        self.0.extend_from_slice(&next.0);
        self
    }

    /// Asks for A, runs one of the two, and goes on behind both.
    pub(super) fn either(question: Question, if_so: &Self, if_not: &Self) -> Self {
        let over = Self::of(&[Operation::Jump(if_so.length())]);
        let if_not = if_not.clone().then(&over);
        Self::skip_if(question, if_not.length()).then(&if_not).then(if_so)
    }

    /// Runs the piece in whose range A is: each begins at its number and ends where the next begins. What is below the
    /// first belongs to the first.
    pub(super) fn by_range(pieces: &[(u32, Self)]) -> Self {
        match pieces {
            [] => Self::default(),
            [(_, only)] => only.clone(),
            _ => {
                let (lower, upper) = pieces.split_at(pieces.len() / 2);
                let is_upper = Question::IsAtLeast(upper[0].0);
                Self::either(is_upper, &Self::by_range(upper), &Self::by_range(lower))
            }
        }
    }

    pub(super) fn into_program(self) -> Program {
        Program(self.0)
    }

    /// A question reaches no further than 255 instructions; a jump without one goes anywhere.
    fn skip_if(question: Question, distance: u32) -> Self {
        let (code, value) = match question {
            Question::Equals(value) => (0x15, value),
            Question::IsAtLeast(value) => (0x35, value),
            Question::Has(bits) => (0x45, bits),
        };
        match u8::try_from(distance) {
            Ok(if_true) => Self(vec![Instruction { code, if_true, if_false: 0, value }]),
            Err(_) => Self(vec![
                Instruction { code, if_true: 0, if_false: 1, value },
                instruction(Operation::Jump(distance)),
            ]),
        }
    }

    fn length(&self) -> u32 {
        u32::try_from(self.0.len()).expect("a program is short: 2048 instructions")
    }
}

fn instruction(operation: Operation) -> Instruction {
    let (code, value) = operation.code_and_value();
    Instruction { code, if_true: 0, if_false: 0, value }
}
