using System.Text.RegularExpressions;

namespace FewStep.Tests;

public sealed partial class LayersTests
{
    // From the bottom up: a folder uses only those before it.
    private static readonly string[] Layers =
    [
        "Platform", "Collectives", "Noise", "Denoising", "Networks", "Checkpoints", "Interchange", "Data", "Text", "Shards", "Solvers",
        "Sampling", "Models", "Search", "Fitting", "Tuning", "Metrics", "Matching", "Experiments", "Reporting",
    ];

    [Fact]
    public void Every_folder_is_a_layer_and_uses_only_those_below_it()
    {
        string source = Repository.At("src", "FewStep");
        var folders = Directory.GetDirectories(source).Select(Path.GetFileName).Where(f => f is not ("bin" or "obj" or "buildTransitive"));
        Assert.Empty(folders.Except(Layers));
        var wrong = from layer in Layers
                    let folder = Path.Combine(source, layer)
                    where Directory.Exists(folder)
                    from file in Directory.GetFiles(folder, "*.cs", SearchOption.AllDirectories)
                    from Match use in LayerName().Matches(File.ReadAllText(file))
                    let used = use.Groups[1].Value
                    where Array.IndexOf(Layers, used) > Array.IndexOf(Layers, layer)
                    select $"{Path.GetRelativePath(source, file)} uses {used}";
        Assert.Empty(wrong);
    }

    // The words of the second and third layer need no using, so the using says nothing about who speaks them.
    [Theory]
    [InlineData("Platform", "Noise")]
    [InlineData("Platform", "Denoising")]
    [InlineData("Noise", "Denoising")]
    public void The_lowest_layers_do_not_know_those_above_them(string layer, string above)
    {
        string Folder(string name) => Repository.At("src", "FewStep", name);
        string[] types = [.. Directory.GetFiles(Folder(above), "*.cs").Select(f => Path.GetFileNameWithoutExtension(f)!)];
        Assert.NotEmpty(types);
        var wrong = from file in Directory.GetFiles(Folder(layer), "*.cs")
                    let text = File.ReadAllText(file)
                    from type in types
                    where Regex.IsMatch(text, $@"^(?!\s*//).*\b{type}\b", RegexOptions.Multiline)
                    select $"{Path.GetFileName(file)} uses {type}";
        Assert.Empty(wrong);
    }

    [GeneratedRegex(@"\bFewStep\.([A-Z]\w+)")]
    private static partial Regex LayerName();
}
