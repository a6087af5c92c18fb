using System.Text.Json;
using FewStep.Reporting;
using Spectre.Console;

namespace FewStep.Cli.Terminal;

/// <summary>What the program says: results on standard output (for people, or one JSON object), all else on standard error.</summary>
internal sealed class TerminalOutput(ResultWriter output, MessageWriter messages)
{
    private readonly ProgressDisplay _progress = new(messages);

    private Verbosity _verbosity = Verbosity.Usual;

    private readonly WorkerProcess? _worker = WorkerProcess.Begin(output);

    public IProgress<WorkProgress> Progress => _worker ?? (IProgress<WorkProgress>)_progress;

    /// <summary>Sets how much is said on standard error.</summary>
    public void Say(Verbosity verbosity) => _verbosity = _progress.Verbosity = verbosity;

    /// <summary>Says nothing from now on, failures included, and gives no result: this is one of several processes, and another speaks.
    /// </summary>
    public void Silence()
    {
        messages.IsSilent = true;
        Say(Verbosity.Quiet);
    }

    /// <summary>Says something to the person, not to the pipe.</summary>
    public void Message(string text)
    {
        Clear();
        if (_verbosity != Verbosity.Quiet)
            messages.WriteLine(Printable.Message(text));
    }

    /// <summary>Says what is said where much is asked for.</summary>
    public void Detail(string text)
    {
        if (_verbosity == Verbosity.Verbose)
            Message(text);
    }

    /// <summary>Says what there is to know about images for a model, before work with them.</summary>
    public void Remark(Model model, IImageSet images)
    {
        if (model.Prompts is not null && images is not OwnSampleSet)
        {
            Message(model.Fitting(images) is CaptionedImageSet
                ? InvariantText.Of($"Each of the {images.Count:N0} training images is measured under its own caption.").ToString()
                : "The prompts are no captions of the training images, which are measured under the empty or negative one.");
        }
        else if (ImageFit.Remark(model.Denoiser, images.Classes) is { } remark)
        {
            Message($"Warning: {remark}");
        }
    }

    /// <summary>Says something that is said in any case.</summary>
    public void Always(string text)
    {
        Clear();
        messages.WriteLine(text);
    }

    /// <summary>What is said of work before it begins.</summary>
    /// <param name="speed">Evaluations a second.</param>
    public static string Estimate(double evaluations, double speed) => InvariantText.Of(
        $"About {evaluations:N0} network evaluations, {StageClock.Duration(evaluations / speed)} at {speed:G3} a second.");

    public void Clear() => _progress.Clear();

    /// <summary>Gives a result whose form for people is one line, after remarks.</summary>
    public void Result<T>(bool json, T result, IEnumerable<string> remarks, InvariantText text)
    {
        string[] lines = [.. remarks.Append(text.ToString()).Select(PlainText.Lines)]; // names from files are in them
        Result(json, result, console => Array.ForEach(lines, console.Profile.Out.Writer.WriteLine));
    }

    /// <summary>Gives a result whose form for people is one line.</summary>
    public void Result<T>(bool json, T result, InvariantText text) => Result(json, result, [], text);

    public void Result<T>(bool json, T result, Action<IAnsiConsole> show)
    {
        Clear();
        if (messages.IsSilent)
            return;
        if (json)
        {
            output.WriteLine(JsonSerializer.Serialize(result, JsonFile.Options));
            return;
        }

        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output.Inner) });
        if (ReferenceEquals(output.Inner, Console.Out) && Console.IsOutputRedirected)
            console.Profile.Width = 200; // a file or pipe has no width to wrap at

        ResultWriter.Guard(() => show(console));
    }
}

/// <summary>How much is said on standard error.</summary>
internal enum Verbosity
{
    /// <summary>Failures alone.</summary>
    Quiet,

    /// <summary>Progress and remarks.</summary>
    Usual,

    /// <summary>Also how long each stage took, and what ranks sent each other.</summary>
    Verbose,
}
