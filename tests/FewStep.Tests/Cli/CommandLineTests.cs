using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using FewStep.Cli.Terminal;
using FewStep.Cli.Verbs;
using Spectre.Console;

namespace FewStep.Tests.Cli;

public sealed class CommandLineTests
{
    [Fact]
    public void A_defect_is_one_line_and_has_a_code_of_its_own()
    {
        var (code, text) = Report(new InvalidOperationException("the first line\nthe second"));
        Assert.Equal(1, code);
        Assert.Equal("fewstep: the first line. This is a defect of fewstep; set FEWSTEP_TRACE=1 for the trace.", text);
    }

    [Fact]
    public void Failures_of_the_world_are_no_defects()
    {
        Assert.Equal((2, "fewstep: mend it"), Report(new InvalidInputException("mend it")));
        Assert.Equal((130, "fewstep: interrupted."), Report(new OperationCanceledException()));
        Assert.Equal((2, "fewstep: denied. Choose another folder."), Report(new UnauthorizedAccessException("denied.")));
        var (code, text) = Report(new LibraryFailure(
            "[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."));
        Assert.Equal(2, code);
        Assert.Contains("--batch", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Space_is_asked_for_only_where_there_is_none()
    {
        Assert.Equal("Choose another folder.", WriteFailure.Remedy(new IOException("no such thing")));
        if (!OperatingSystem.IsLinux())
        {
            return; // only Linux has a device that is always full
        }

        var full = Assert.Throws<IOException>(() =>
        {
            using var file = new FileStream("/dev/full", FileMode.Open, FileAccess.Write);
            file.Write(new byte[100_000]);
            file.Flush();
        });
        Assert.StartsWith("Free some space", WriteFailure.Remedy(full), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tune", "Left out, bfloat16 on a GPU", "--dtype <float32|bfloat16>",
        "--loss <regression|trajectory|endpoint|consistency|denoise>")]
    [InlineData("run", "Left out, bfloat16 on a GPU", "--loss <regression|trajectory|endpoint|consistency|denoise>")]
    [InlineData("sample", "Left out, bfloat16 on a GPU")]
    [InlineData("train", "Left out, bfloat16 on a GPU", "--learning-rate")]
    public async Task Help_names_values_as_the_options_take_them(string verb, params string[] parts)
    {
        var run = await CommandLineRun.Of(verb, "--help");
        Assert.Equal((0, ""), (run.Code, run.Messages));
        string page = string.Join(' ', run.Output.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)); // lines are wrapped
        Assert.All(parts, part => Assert.Contains(part, page, StringComparison.Ordinal));
        Assert.DoesNotContain("BFloat16", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_arguments_it_shows_what_there_is()
    {
        var run = await CommandLineRun.Of();
        Assert.Equal((0, ""), (run.Code, run.Messages));
        Assert.Contains("fewstep sample --sampler karras/ipndm:3/4 --grid samples.png", run.Output, StringComparison.Ordinal);
        Assert.Contains("  subset", (await CommandLineRun.Of("data")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Help_lists_each_verb_once_and_its_examples_are_command_lines()
    {
        var root = CommandLine.Root(new TerminalOutput(new ResultWriter(TextWriter.Null), new MessageWriter(TextWriter.Null)));
        Assert.Equal(root.Subcommands.Select(c => c.Name).Order(), HelpText.Listed.Order());
        Assert.All(HelpText.ExampleLines, line => Assert.Empty(root.Parse(line["fewstep ".Length..]).Errors));
    }

    [Theory]
    [InlineData("no verb 'smaple'. Did you mean sample?", "smaple")]
    [InlineData("inspect takes the model by itself: inspect my-model.", "inspect", "--model", "my-model")]
    [InlineData("no option '--step' of sample. Did you mean --steps?", "sample", "--step", "4")]
    [InlineData("Did you mean euler?", "sample", "--solver", "eulre", "-s", "4", "-o", "x")]
    [InlineData("Did you mean karras?", "sample", "--schedule", "karas", "-s", "4", "-o", "x")]
    [InlineData("Did you mean gits?", "schedule", "--optimizer", "gist")]
    [InlineData("Did you mean regression?", "tune", "--loss", "regresion", "-o", "x")]
    public Task What_was_mistyped_is_guessed_at_in_words_alone(string guess, params string[] arguments) =>
        CommandLineRun.Refused(guess, arguments);

    [Fact]
    public async Task A_shell_completes_options_and_their_values()
    {
        Assert.Equal("--solver", (await CommandLineRun.Of("[suggest:18]", "fewstep sample --so")).Output.Trim());
        Assert.Contains("ipndm", (await CommandLineRun.Of("[suggest:18]", "sample --solver ip")).Output, StringComparison.Ordinal);
        Assert.Contains("bfloat16", (await CommandLineRun.Of("[suggest:15]", "sample --dtype ")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Progress_is_no_wider_than_the_terminal_and_quiet_where_asked()
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        var terminal = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(text),
            Ansi = AnsiSupport.Yes,
            ColorSystem = ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.Yes,
        });
        terminal.Profile.Width = 40;
        var progress = new ProgressDisplay(new MessageWriter(text), terminal) { Verbosity = Verbosity.Verbose };
        progress.Report(
            new WorkProgress("a stage with a name of some length", 1, 100, "images", "loss 0.123456") { Phase = new("tuning", 2, 4) });
        Thread.Sleep(250); // it is drawn now and then
        progress.Clear();
        string shown = Regex.Replace(text.ToString(), @"\x1b[\[=][0-9;?]*[A-Za-z]?", "");
        Assert.Contains("2 of 4: tuning", shown, StringComparison.Ordinal);
        Assert.All(shown.Split('\r', '\n').SkipLast(2), part => Assert.InRange(part.TrimEnd().Length, 0, 39));
        Assert.Contains("[2/4] a stage with a name of some length: 1 images, 0 s", shown, StringComparison.Ordinal);
        progress.Verbosity = Verbosity.Quiet;
        progress.Report(new WorkProgress("another", 1, 100, "images"));
        Assert.EndsWith("1 images, 0 s", text.ToString().TrimEnd(), StringComparison.Ordinal);
    }

    private static (int Code, string Text) Report(Exception failure)
    {
        using var messages = new StringWriter(CultureInfo.InvariantCulture);
        int code = Failures.Report(failure, messages);
        return (code, messages.ToString().TrimEnd('\r', '\n'));
    }

    private sealed class LibraryFailure(string message) : ExternalException(message);
}
