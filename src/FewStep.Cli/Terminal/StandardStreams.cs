using System.Text;
using Spectre.Console;

namespace FewStep.Cli.Terminal;

/// <summary>Standard error, which may be closed or have no room: that a message cannot be written is no failure of its own.</summary>
internal sealed class MessageWriter(TextWriter inner) : TextWriter(CultureInfo.InvariantCulture)
{
    public override Encoding Encoding => Encoding.UTF8;

    /// <summary>Whether nothing is written.</summary>
    public bool IsSilent { get; set; }

    /// <summary>A terminal whose lines can be drawn anew; null where standard error is none. <c>NO_COLOR</c> leaves the colours
    /// out.</summary>
    public IAnsiConsole? Terminal() =>
        ReferenceEquals(inner, Console.Error) && !Console.IsErrorRedirected && Environment.GetEnvironmentVariable("TERM") != "dumb"
            ? AnsiConsole.Create(new AnsiConsoleSettings
            { Out = new AnsiConsoleOutput(this), Ansi = AnsiSupport.Yes, Interactive = InteractionSupport.Yes })
            : null;

    public override void Write(char value) => Try(() => inner.Write(value));
    public override void Write(string? value) => Try(() => inner.Write(value));
    public override void Write(char[] buffer, int index, int count) => Try(() => inner.Write(buffer, index, count));
    public override void WriteLine() => Try(inner.WriteLine);
    public override void WriteLine(string? value) => Try(() => inner.WriteLine(value));
    public override void Flush() => Try(inner.Flush);

    private void Try(Action write)
    {
        if (IsSilent)
            return;
        try
        {
            write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            // Nobody is there to be told.
        }
    }
}

/// <summary>Standard output: a result that cannot be written is a failure, which says where.</summary>
/// <param name="inner">What a terminal is recognised by.</param>
internal sealed class ResultWriter(TextWriter inner) : TextWriter(CultureInfo.InvariantCulture)
{
    public TextWriter Inner => inner;
    public override Encoding Encoding => Encoding.UTF8;

    public override void Write(char value) => Guard(() => inner.Write(value));
    public override void Write(string? value) => Guard(() => inner.Write(value));
    public override void Write(char[] buffer, int index, int count) => Guard(() => inner.Write(buffer, index, count));
    public override void WriteLine(string? value) => Guard(() => inner.WriteLine(value));
    public override void Flush() => Guard(inner.Flush);

    /// <summary>Writes a result.</summary>
    public static void Guard(Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            throw new InvalidInputException("Cannot write to standard output: it is closed, or there is no space left.", e);
        }
    }
}
