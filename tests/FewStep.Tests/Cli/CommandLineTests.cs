using System.Runtime.InteropServices;
using FewStep.Cli.Terminal;

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

    private static (int Code, string Text) Report(Exception failure)
    {
        using var messages = new StringWriter(CultureInfo.InvariantCulture);
        int code = Failures.Report(failure, messages);
        return (code, messages.ToString().TrimEnd('\r', '\n'));
    }

    private sealed class LibraryFailure(string message) : ExternalException(message);
}
