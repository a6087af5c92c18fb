using System.CommandLine;
using FewStep.Cli.Terminal;
using FewStep.Cli.Verbs;

namespace FewStep.Tests.Cli;

public sealed class NumberOptionTests(TinyWorld world) : IClassFixture<TinyWorld>
{
    private static readonly RootCommand Root = CommandLine.Root(
        new TerminalOutput(new ResultWriter(TextWriter.Null), new MessageWriter(TextWriter.Null)));

    [Fact]
    public void No_number_of_any_verb_takes_a_decimal_comma_or_separators_of_thousands()
    {
        var numbers = Options(typeof(double)).ToList();
        Assert.True(numbers.Count > 25, $"{numbers.Count}");
        foreach (var (verb, option) in numbers)
        {
            Assert.Null(Refusal(verb, option, "1.5"));
            Assert.Null(Refusal(verb, option, "-2.5e-3"));
            Assert.Equal($"{option} '1,5' must be a number with a decimal point and without separators of thousands: 1.5.",
                Refusal(verb, option, "1,5"));
            Assert.EndsWith(": 0.002.", Refusal(verb, option, "0,002"), StringComparison.Ordinal);
            Assert.EndsWith(": 1234.5.", Refusal(verb, option, "1,234.5"), StringComparison.Ordinal);
            Assert.EndsWith(": 1234.5.", Refusal(verb, option, "1.234,5"), StringComparison.Ordinal);
            Assert.EndsWith(": 1234567.", Refusal(verb, option, "1,234,567"), StringComparison.Ordinal);
            Assert.All(["NaN", "Infinity", "-Infinity", "1e999"],
                text => Assert.Equal($"{option} '{text}' must be a finite number.", Refusal(verb, option, text)));
            Assert.EndsWith("must be a number.", Refusal(verb, option, "one"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void No_whole_number_of_any_verb_takes_them_either()
    {
        var numbers = Options(typeof(int)).Concat(Options(typeof(long))).ToList();
        Assert.True(numbers.Count > 60, $"{numbers.Count}");
        foreach (var (verb, option) in numbers)
        {
            Assert.Null(Refusal(verb, option, "1000"));
            Assert.All(["1,000", "1.000", "1 000", "1'000"], text => Assert.Equal(
                $"{option} '{text}' must be a whole number without separators of thousands: 1000.", Refusal(verb, option, text)));
            Assert.All(["1,5", "1.5", "NaN", "1e3", "99999999999999999999", "four"],
                text => Assert.Contains($"{option} '{text}' must be a whole number up to ", Refusal(verb, option, text)));
        }
    }

    [Theory]
    [InlineData("1.5", "sample", "--model", "@model", "--steps", "2", "--guidance", "1,5", "--out", "@never")]
    [InlineData("14.6", "export", "--schedule", "karras", "--steps", "4", "--to", "sigmas", "--sigma-max", "14,6")]
    [InlineData("0.002", "verify", "--model", "@model", "--reference", "@x.npz", "--tolerance", "0,002")]
    [InlineData("0.0004", "tune", "--model", "@model", "--schedule", "karras", "--steps", "2", "--learning-rate", "0,0004", "--out",
        "@never")]
    [InlineData("0.5", "inspect", "@model", "--model-sigma-data", "0,5")]
    [InlineData("3.0", "export", "--schedule", "karras", "--steps", "4", "--to", "diffusers", "--shift", "3,0")]
    [InlineData("9.5", "import", "--from", "9,5; 4,3; 2,1; 0", "--output", "@never")]
    [InlineData("9.5", "import", "--from", "9,5 4,3 2,1 0", "--output", "@never")]
    [InlineData("9.5", "import", "--from", "[9,5, 4,3, 2,1, 0]", "--output", "@never")]
    [InlineData("1234.5", "import", "--from", "1.234,5; 4,3; 0", "--output", "@never")]
    [InlineData("two noise levels", "sample", "--model", "@model", "--steps", "2", "--guidance", "2", "--guidance-interval", "0,3,5",
        "--out", "@never")]
    [InlineData("two noise levels", "sample", "--model", "@model", "--steps", "2", "--guidance", "2", "--guidance-interval", "1,Infinity",
        "--out", "@never")]
    public async Task One_line_shows_the_number_with_a_point(string shown, params string[] arguments)
    {
        await CommandLineRun.Refused(shown, [.. arguments.Select(a => a.StartsWith('@') ? world.At(a[1..]) : a)]);
        Assert.False(Path.Exists(world.At("never")));
    }

    private static IEnumerable<(string[] Verb, string Option)> Options(Type type) =>
        from command in Root.WithSubcommands()
        from option in command.Options
        where (Nullable.GetUnderlyingType(option.ValueType) ?? option.ValueType) == type
        select (Verb(command), option.Name);

    private static string[] Verb(Command command) => command is RootCommand ? []
        : [.. Verb(command.Parents.OfType<Command>().First()), command.Name];

    // What is said of the option; null where nothing is.
    private static string? Refusal(string[] verb, string option, string value)
    {
        var errors = Root.Parse([.. verb, option, value]).Errors;
        var own = errors.Where(e => e.Message.Contains($"{option} '", StringComparison.Ordinal)).ToList();
        return own.Count == 0 ? null : OptionValues.Describe(own);
    }
}
