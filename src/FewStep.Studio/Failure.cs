namespace FewStep.Studio;

/// <summary>What went wrong, in one line for the page.</summary>
internal static class Failure
{
    public static string Text(Exception failure) => Printable.Message(failure switch
    {
        InvalidInputException => failure.Message,
        IOException or UnauthorizedAccessException => $"{failure.Message} {WriteFailure.Remedy(failure)}",
        _ when FailureText.IsMemory(failure) => "There is not enough memory; take fewer images, or a smaller model.",
        _ => $"{FailureText.Sentence(failure)} This is a defect of fewstep.",
    });
}
