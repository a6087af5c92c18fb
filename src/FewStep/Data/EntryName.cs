namespace FewStep.Data;

/// <summary>Names of files inside data sets, which come from outside: checked before use and made harmless before they are shown.</summary>
internal static class EntryName
{
    private const int LongestShown = 120;
    private static readonly string[] Accepted = [".png", ".jpg", ".jpeg"];
    private static readonly string[] OtherImages = [".bmp", ".gif", ".webp", ".tif", ".tiff", ".avif", ".heic"];

    /// <summary>Whether a name ends as those of PNG and JPEG images do.</summary>
    public static bool HasImageName(string name) => Accepted.Contains(Path.GetExtension(name), StringComparer.OrdinalIgnoreCase);

    /// <summary>The same, where other images are refused.</summary>
    public static bool IsImage(string name, string container)
    {
        string extension = Path.GetExtension(name);
        if (OtherImages.Contains(extension, StringComparer.OrdinalIgnoreCase))
            throw new InvalidInputException($"{Shown(name)} in {container} is neither PNG nor JPEG; convert it or take it out.");
        return HasImageName(name);
    }

    /// <summary>Whether a file is hidden: it or a folder above it begins with a dot, or macOS put it beside what was packed.</summary>
    public static bool IsHidden(string name) => name.Split('/').Any(part => part.StartsWith('.') || part == "__MACOSX");

    /// <summary>Refuses names that lead out of the data set or hide what they are.</summary>
    public static void Check(string name, string container)
    {
        bool plain = name.Length is > 0 and <= 1024 && !name.Any(c => char.IsControl(c) || c is '\\' or ':');
        if (!plain || name.Split('/').Any(part => part is "" or "." or ".."))
        {
            throw new InvalidInputException(
                $"{container} holds the unsafe name '{Shown(name)}'; names must be relative, with forward slashes and without '..'.");
        }
    }

    /// <summary>Where a file is, for messages.</summary>
    public static string In(string name, string container) => $"{Shown(name)} in {container}";

    /// <summary>The name for messages: no control characters (they could drive a terminal) and not endless.</summary>
    public static string Shown(string name) => Printable.Line(name, LongestShown);
}
