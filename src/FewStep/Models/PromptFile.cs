namespace FewStep.Models;

/// <summary>Files of prompts, one a line.</summary>
internal static class PromptFile
{
    private const long MostBytes = 256 << 20;

    /// <returns>The lines that are not blank, without the white space around them.</returns>
    public static IReadOnlyList<string> Read(string path) => ReadFailure.Guard(path, () =>
    {
        using var stream = InputFile.Open(path);
        if (stream.Length > MostBytes)
            throw new InvalidInputException($"{path} has {stream.Length} bytes; files of prompts have at most {MostBytes}.");
        using var reader = new StreamReader(stream);
        List<string> prompts = [];
        while (reader.ReadLine() is string line)
        {
            if (!string.IsNullOrWhiteSpace(line))
                prompts.Add(line.Trim());
        }

        return prompts.Count > 0 ? prompts : throw new InvalidInputException($"{path} holds no prompt; write one a line.");
    });
}
