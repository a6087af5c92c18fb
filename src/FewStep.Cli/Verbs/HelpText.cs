using System.CommandLine.Help;
using System.Text;

namespace FewStep.Cli.Verbs;

/// <summary>The text of <c>--help</c>: what a verb does, examples, and its options in groups, with defaults as the options take
/// them.</summary>
internal static class HelpText
{
    private const int UsualWidth = 100, NarrowestWidth = 60, WidestWidth = 140, NameColumn = 30;

    // The first that fits names the group of an option.
    private static readonly (string Heading, string[] Names)[] Groups =
    [
        ("Prompts", ["--prompt*", "--negative-*"]),
        ("Guidance", ["--guid*"]),
        ("ONNX files", ["--onnx-*", "--provider"]),
        ("Checkpoints that do not say everything", ["--model-*"]),
        ("Loss curve", ["--curve-*", "--precision"]),
        ("Metrics", ["--metrics", "--features", "--inception", "--classifier", "--held-back", "--kid-*", "--neighbours", "--coverage-*",
            "--kept-images"]),
        ("All verbs", ["--dtype", "--device", "--threads", "--seed", "--json", "--quiet", "--verbose", "--help"]),
    ];

    private static readonly (string Heading, string[] Verbs)[] VerbGroups =
    [
        ("From a model to a few-step sampler", ["run", "schedule", "fit", "tune", "match"]),
        ("Sample and measure", ["sample", "evaluate", "compare", "studio"]),
        ("Over several machines", ["merge", "cluster"]),
        ("Take it elsewhere, bring it here", ["export", "import", "inspect", "convert", "verify"]),
        ("Images and training", ["data", "train", "train-classifier"]),
    ];

    private static readonly (string Verb, string[] Lines)[] Examples =
    [
        ("fewstep",
            ["fewstep run", "fewstep sample --sampler karras/ipndm:3/4 --grid samples.png", "fewstep fit --steps 3,4,6 --out fits"]),
        ("run", ["fewstep run", "fewstep run --model my-model --data my-images --steps 4 --rounds 0 --out my-run"]),
        ("schedule", ["fewstep schedule --steps 4,6,8 --out schedules", "fewstep schedule --optimizer gits --solver ipndm:3 --steps 4"]),
        ("fit", ["fewstep fit --steps 3,4,6 --out fits", "fewstep fit --model model.onnx --schedule karras --steps 4 --out fits"]),
        ("tune", ["fewstep tune --sampler karras/euler/2 --updates 500 --out tuned"]),
        ("match", ["fewstep match --sampler fits/n3.sampler.json --classifier other-classifier --out matches"]),
        ("sample", ["fewstep sample --sampler karras/ipndm:3/4 --seeds 0-63 --grid samples.png",
            "fewstep sample --model my-run --seeds 0-49999 --out images"]),
        ("evaluate", ["fewstep evaluate --sampler karras/ipndm:3/4 --sampler fits/n4.sampler.json --samples 500",
            "fewstep evaluate --images images --reference real.zip --metrics fid"]),
        ("compare", ["fewstep compare --solvers euler,ipndm:3 --schedules karras,gits --nfe 4,6 --samples 500"]),
        ("merge", ["fewstep merge runs/compare"]),
        ("slurm", ["fewstep cluster slurm --shards 20 --time 2:00:00 --gpus 1 --submit -- sample --seeds 0-49999 --out images"]),
        ("kubernetes", ["fewstep cluster kubernetes --shards 20 --image registry/fewstep:1 --volume-claim work --gpus 1 -- sample "
            + "--seeds 0-49999 --out images"]),
        ("studio", ["fewstep studio --open", "fewstep studio --model my-model --data my-images --out my-studio"]),
        ("export", ["fewstep export --schedule karras --steps 8 --to diffusers",
            "fewstep export --to onnx --sampler karras/ipndm:3/4 --output sampler.onnx",
            "fewstep export --to web --sampler karras/ipndm:3/4 --runtime package/dist --output demo"]),
        ("import", ["fewstep import --from \"14.6, 2.9, 0.9, 0.03\" --output mine.sampler.json"]),
        ("inspect", ["fewstep inspect edm-imagenet-64x64-cond-adm.pkl"]),
        ("convert", ["fewstep convert edm-imagenet-64x64-cond-adm.pkl --out my-model"]),
        ("verify", ["fewstep verify --model my-model --reference outputs.npz"]),
        ("prepare", ["fewstep data prepare --source images --output images-64x64.zip --resolution 64"]),
        ("info", ["fewstep data info --data images.zip"]),
        ("subset", ["fewstep data subset --data images.zip --count 1000 --out few"]),
        ("stats", ["fewstep data stats --data images.zip --output stats.npz"]),
        ("train", ["fewstep train --config config.json --data images.zip --images 1000000 --out training"]),
        ("train-classifier", ["fewstep train-classifier --data images.zip --out my-model-classifier"]),
    ];

    /// <summary>The verbs in their groups.</summary>
    internal static IEnumerable<string> Listed => VerbGroups.SelectMany(g => g.Verbs);

    /// <summary>All examples.</summary>
    internal static IEnumerable<string> ExampleLines => Examples.SelectMany(e => e.Lines);

    public static void Write(ParseResult parsed, ResultWriter output)
    {
        var command = parsed.CommandResult.Command;
        bool isRoot = command is RootCommand;
        var text = new Wrapped(output, Width(output));
        text.Paragraph(command.Description ?? "");
        string name = isRoot ? "fewstep" : $"fewstep {string.Join(' ', Path(parsed).Reverse())}";
        var behind = command.Arguments.Where(a => a.Arity.MaximumNumberOfValues > 1);
        string arguments = string.Concat(command.Arguments.Except(behind).Select(a => $" <{a.Name}>"));
        string last = string.Concat(behind.Select(a => $" -- <{a.Name}>"));
        text.Heading("Usage");
        text.Paragraph($"  {name}{arguments} {(command.Subcommands.Count > 0 ? "<verb> " : "")}[options]{last}");
        if (Examples.FirstOrDefault(e => e.Verb == (isRoot ? "fewstep" : command.Name)).Lines is { } examples)
        {
            text.Heading("Examples");
            foreach (string line in examples)
                text.Paragraph($"  {line}");
        }

        if (command.Arguments.Count > 0)
        {
            text.Heading("Arguments");
            foreach (var argument in command.Arguments)
                text.Row($"<{argument.Name}>", argument.Description ?? "");
        }

        var verbs = command.Subcommands.ToDictionary(c => c.Name);
        foreach (var (heading, names) in isRoot ? VerbGroups : [("Verbs", [.. verbs.Keys])])
        {
            if (names.Length == 0)
                continue;
            text.Heading(heading);
            foreach (string verb in names)
                text.Row(verb, verbs[verb].Description ?? "");
        }

        var everywhere = parsed.RootCommandResult.Command.Options.Where(o => o.Recursive && o is not VersionOption);
        var options = command.Options.Concat(isRoot ? [] : everywhere)
            .Where(o => !o.Hidden).DistinctBy(o => o.Name).GroupBy(Group).ToDictionary(g => g.Key);
        foreach (string heading in Groups.Select(g => g.Heading).Prepend("Options").Where(options.ContainsKey))
        {
            text.Heading(heading);
            foreach (var option in options[heading])
                text.Row(Names(option), $"{option.Description}{Default(option)}");
        }

        if (isRoot)
            text.Paragraph("\nfewstep <verb> --help says more.");
    }

    private static IEnumerable<string> Path(ParseResult parsed)
    {
        for (var result = parsed.CommandResult; result.Command is not RootCommand;
            result = (System.CommandLine.Parsing.CommandResult)result.Parent!)
        {
            yield return result.Command.Name;
        }
    }

    private static string Group(Option option) => Groups.FirstOrDefault(g => g.Names.Any(
        n => System.IO.Enumeration.FileSystemName.MatchesSimpleExpression(n, option.Name))).Heading ?? "Options";

    private static string Names(Option option)
    {
        bool isSwitch = option.ValueType == typeof(bool) || option is HelpOption or VersionOption;
        string word = option.HelpName ?? (option.ValueType == typeof(bool?) ? "true|false" : option.Name.TrimStart('-'));
        string value = isSwitch ? "" : $" <{word}>";
        string[] names = [.. option.Aliases.Where(a => a.StartsWith('-') && a != "-?").OrderBy(a => a.Length), option.Name];
        return $"{string.Join(", ", names.Distinct())}{value}";
    }

    private static string Default(Option option)
    {
        if (!option.HasDefaultValue)
            return "";
        string? text = option.GetDefaultValue() switch
        {
            null or false => null,
            string path when EmbeddedDefault.Describe(path) is { } embedded => embedded,
            string[] several => string.Join(", ", several.Select(s => EmbeddedDefault.Describe(s) ?? s)),
            Enum word => word.ToString().ToLowerInvariant(),
            IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
            var other => other.ToString(),
        };
        return string.IsNullOrEmpty(text) ? "" : $" [default: {text}]";
    }

    private static int Width(ResultWriter output)
    {
        if (!ReferenceEquals(output.Inner, Console.Out) || Console.IsOutputRedirected)
            return UsualWidth;
        return Math.Clamp(Console.WindowWidth, NarrowestWidth, WidestWidth);
    }

    // Text in two columns; a long name has a line of its own.
    private sealed class Wrapped(TextWriter output, int width)
    {
        public void Heading(string text) => output.WriteLine($"\n{text}:");

        public void Paragraph(string text)
        {
            string indent = new(' ', text.Length - text.TrimStart(' ').Length);
            foreach (string line in Lines(text.TrimStart(' '), width - indent.Length))
                output.WriteLine($"{indent}{line}");
        }

        public void Row(string name, string text)
        {
            bool isLong = name.Length + 4 > NameColumn;
            string first = isLong ? $"  {name}\n{new string(' ', NameColumn)}" : $"  {name}".PadRight(NameColumn);
            output.WriteLine($"{first}{string.Join($"\n{new string(' ', NameColumn)}", Lines(text, width - NameColumn))}");
        }

        private static IEnumerable<string> Lines(string text, int most)
        {
            var line = new StringBuilder();
            foreach (string word in text.Split(' '))
            {
                if (line.Length > 0 && line.Length + 1 + word.Length > most)
                {
                    yield return line.ToString();
                    line.Clear();
                }

                line.Append(line.Length > 0 ? " " : "").Append(word);
            }

            yield return line.ToString();
        }
    }
}
