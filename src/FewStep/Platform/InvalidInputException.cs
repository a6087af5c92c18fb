namespace FewStep.Platform;

/// <summary>Input from outside (a file, an option, a model) cannot be used. The message is one line for the user: what, where and how to
/// mend it.</summary>
/// <remarks>The command line prints the message alone and exits with code 2. Control characters become question marks, line ends spaces,
/// and what is endless is cut: messages quote names from files.</remarks>
public sealed class InvalidInputException : Exception
{
    /// <summary>Name of the option that mends it, which the command line calls otherwise; null (default) for none.</summary>
    internal string? Option { get; init; }

    /// <summary>Whether a file could not be read or written, which is no fault of what was being done.</summary>
    internal bool IsOfStorage => InnerException is IOException or UnauthorizedAccessException;

    /// <summary>Creates the exception.</summary>
    /// <param name="message">One line: what is wrong, where, and how to mend it.</param>
    public InvalidInputException(string message)
        : base(Printable.Message(message))
    {
    }

    /// <summary>Creates the exception; numbers in the message are written invariantly.</summary>
    internal InvalidInputException(InvariantText message)
        : base(Printable.Message(message.ToString()))
    {
    }

    /// <summary>Creates the exception with the failure that revealed the bad input.</summary>
    /// <param name="message">One line: what is wrong, where, and how to mend it.</param>
    /// <param name="innerException">The original failure.</param>
    public InvalidInputException(string message, Exception innerException)
        : base(Printable.Message(message), innerException)
    {
    }
}
