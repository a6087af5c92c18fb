namespace FewStep.Deploy;

/// <summary>A file is no sampler graph, or cannot be evaluated here. The message is one line: what, where and how to mend it.</summary>
public sealed class SamplerGraphException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">One line.</param>
    public SamplerGraphException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with the failure behind it.</summary>
    /// <param name="message">One line.</param>
    /// <param name="innerException">The original failure.</param>
    public SamplerGraphException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
