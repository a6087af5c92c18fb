namespace FewStep.Platform;

/// <summary>Tells before long work whether its results can be written.</summary>
internal static class WritableFolder
{
    /// <summary>Checks that a folder can be created, or is there, and takes files. Nothing is left behind.</summary>
    public static void Check(string folder)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        string? place = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        while (place is not null && !Directory.Exists(place))
        {
            if (File.Exists(place))
                throw new InvalidInputException($"Cannot write {folder}: {place} is a file, not a folder. Choose another folder.");
            place = Path.GetDirectoryName(place);
        }

        if (place is null)
            throw new InvalidInputException($"Cannot write {folder}: there is no such drive. Choose another folder.");
        string trial = Path.Combine(place, $".fewstep-{Guid.NewGuid():N}.tmp");
        try
        {
            using var file = new FileStream(trial, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            string reason = e is UnauthorizedAccessException ? $"there is no permission to create files in {place}"
                : $"no file can be created in {place}";
            throw new InvalidInputException($"Cannot write {folder}: {reason}. {WriteFailure.Remedy(e)}", e);
        }
    }
}
