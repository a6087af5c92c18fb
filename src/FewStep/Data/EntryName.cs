namespace FewStep.Data;

/// <summary>Names of files inside data sets, which come from outside: checked before use and made harmless before they are shown.</summary>
internal static class EntryName
{
    private const int LongestShown = 120;
    private static readonly string[] Accepted = [".png", ".jpg", ".jpeg"];
    private static readonly string[] OtherImages = [".bmp", ".gif", ".webp", ".tif", ".tiff", ".avif", ".heic"];

    /// <summary>Whether the name is that of a PNG or JPEG image.</summary>
    public static bool IsImage(string name, string container)
    {
        string extension = Path.GetExtension(name);
        if (OtherImages.Contains(extension, StringComparer.OrdinalIgnoreCase))
            throw new InvalidInputException($"{Shown(name)} in {container} is neither PNG nor JPEG; convert it or take it out.");
        return Accepted.Contains(extension, StringComparer.OrdinalIgnoreCase);
    }

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
