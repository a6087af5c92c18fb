using System.Text.RegularExpressions;

namespace FewStep.Tests;

/// <summary>What the source files and the public face keep to.</summary>
public class SourceTests
{
    private const int Columns = 140;
    private const int MostPublicTypes = 96;
    private const int MostDeployTypes = 12;

    [Fact]
    public void No_line_is_longer_than_140_columns()
    {
        IEnumerable<string> Long(string file) => File.ReadLines(file)
            .Select((line, i) => (Line: line, Number: i + 1))
            .Where(l => l.Line.Length > Columns)
            .Select(l => $"{Path.GetRelativePath(Repository.At(), file)}:{l.Number} has {l.Line.Length} columns");
        Assert.Empty(Sources("src", "tests", "bench", "samples").SelectMany(Long));
    }

    // Pipes and devices are refused in one place, which every reader goes through.
    [Fact]
    public void Files_are_read_through_InputFile()
    {
        var forms = new Regex(@"\bFile\.(OpenRead|OpenText|OpenHandle|ReadAll\w+|ReadLines)\b|FileMode\.Open\b");
        // Its check, /proc, what is written.
        string[] own = ["InputFile.cs", "ByteSource.cs", "RunEnvironment.cs", "FolderLock.cs", "AtomicFile.cs"];
        var others = Sources("src").Where(file => !own.Contains(Path.GetFileName(file))
            && !Path.GetFileName(file).StartsWith("Torch", StringComparison.Ordinal) && !file.Contains("Elf", StringComparison.Ordinal));
        Assert.DoesNotContain(others, file => forms.IsMatch(File.ReadAllText(file)));
    }

    [Fact]
    public void At_most_96_types_are_public()
    {
        string[] names = PublicTypes("FewStep", "FewStep.Onnx");
        Assert.True(names.Length is > 0 and <= MostPublicTypes, $"{names.Length} types are public: {string.Join(", ", names)}");
    }

    // A package of its own, for other readers.
    [Fact]
    public void At_most_12_types_of_the_deploy_package_are_public()
    {
        string[] names = PublicTypes("FewStep.Deploy");
        Assert.True(names.Length is > 0 and <= MostDeployTypes, $"{names.Length} types are public: {string.Join(", ", names)}");
    }

    private static string[] PublicTypes(params string[] projects) => [.. projects
        .SelectMany(project => Directory.EnumerateFiles(Repository.At("src", project), "PublicAPI.*.txt"))
        .SelectMany(File.ReadLines)
        .Where(IsType)
        .Distinct(StringComparer.Ordinal)
        .Order(StringComparer.Ordinal)];

    // A type's line is its full name alone: members have a result after "->", or parentheses.
    private static bool IsType(string line) =>
        line.Length > 0 && line[0] != '#' && !line.Contains("->", StringComparison.Ordinal) && !line.Contains('(')
        && !line.Contains(" = ", StringComparison.Ordinal) && !line.Contains(' ');

    private static IEnumerable<string> Sources(params string[] folders) => folders
        .Select(folder => Repository.At(folder))
        .Where(Directory.Exists)
        .SelectMany(folder => Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories))
        .Where(file => !file.Split(Path.DirectorySeparatorChar).Any(part => part is "obj" or "bin"));
}
